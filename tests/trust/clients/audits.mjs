// Runs the official audits of GraphQL over HTTP against the address given first, with the token
// given second. Prints one line of JSON an audit: its name, its status, and the reason.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);

const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason } = await audit.fn();
  console.log(JSON.stringify({ name: audit.name, status, reason }));
}
