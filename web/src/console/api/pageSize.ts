/**
 * How many of a list are asked for at a time. A service that allows less (`COHORT_MAX_PAGE_SIZE`) has
 * no console.
 */
export const PAGE_SIZE = 50;
