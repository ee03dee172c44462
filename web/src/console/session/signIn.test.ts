import { expect, test } from 'vitest';
import { placeOf, readPasted } from './signIn';

const ORIGIN = 'https://cohort.example.com';

test('a sign-in link of this service is followed', () => {
  expect(readPasted(` ${ORIGIN}/sign-in?secret=abc\n`, ORIGIN)).toEqual({
    link: '/sign-in?secret=abc',
  });
});

test('a sign-in link of another host is not followed, and no token', () => {
  const elsewhere = 'http://localhost:8000/sign-in?secret=abc';
  expect(readPasted(elsewhere, ORIGIN)).toEqual({ host: 'localhost:8000' });
});

test('anything else is a token', () => {
  expect(readPasted(' abc ', ORIGIN)).toEqual({ token: 'abc' });
  const other = `${ORIGIN}/?secret=abc`;
  expect(readPasted(other, ORIGIN)).toEqual({ token: other });
});

test('a place to come back to is never an address of another host', () => {
  expect(placeOf({ pathname: '/groups', search: '?search=a' })).toBe('/groups?search=a');
  expect(placeOf({ pathname: '//elsewhere.example/x', search: '' })).toBe('/elsewhere.example/x');
});
