import type { CombinedError } from '@urql/core';

/** Whether it helps to ask for less: not where any question is refused, until some time later. */
export const isTooMuch = ({ graphQLErrors, response }: CombinedError) =>
  graphQLErrors.some(({ extensions }) => extensions.code === 'LIMIT_EXCEEDED') &&
  !response?.headers.has('Retry-After');
