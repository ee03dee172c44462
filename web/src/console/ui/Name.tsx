import classes from './Name.module.css';

/**
 * A name among other text. It breaks where it must, since it may be long and without spaces; and
 * whichever way it is written, what stands around it stays as it was.
 */
export function Name({ children }: { children: string }) {
  return <bdi className={classes.name}>{children}</bdi>;
}
