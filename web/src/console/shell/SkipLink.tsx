import classes from './SkipLink.module.css';

/** For keyboards: past the menu. Seen only when it has the focus. */
export function SkipLink() {
  return (
    <a href="#main" className={classes.skip}>
      Skip to the page
    </a>
  );
}
