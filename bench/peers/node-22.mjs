// PostGraphile 5.1 is written for Node 22, and of what that has it misses only this in Node 20. It is
// imported before anything of PostGraphile's.

Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new this((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
};
