import { expect, test } from 'vitest';
import { readPasted } from './signIn';

const ORIGIN = 'https://cohort.example.com';

test('a sign-in link of this service is followed', () => {
  expect(readPasted(` ${ORIGIN}/sign-in?secret=abc\n`, ORIGIN)).toEqual({
    link: '/sign-in?secret=abc',
  });
});

test('anything else is a token, and a link to elsewhere is not followed', () => {
  expect(readPasted(' abc ', ORIGIN)).toEqual({ token: 'abc' });
  const elsewhere = 'https://elsewhere.example.com/sign-in?secret=abc';
  expect(readPasted(elsewhere, ORIGIN)).toEqual({ token: elsewhere });
});
