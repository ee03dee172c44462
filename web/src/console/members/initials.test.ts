import { expect, test } from 'vitest';
import { initials } from './initials';

test('two words give a letter each, one word gives two', () => {
  expect(initials('Hana Sato')).toBe('HS');
  expect(initials('Ana  de la Cruz')).toBe('AD');
  expect(initials('interrupter')).toBe('IN');
  expect(initials('')).toBe('');
});

test('no character is cut in two', () => {
  expect(initials('🚀')).toBe('🚀');
  expect(initials('👩‍🚀 Astra')).toBe('👩‍🚀A');
  expect(initials('e\u0301va')).toBe('E\u0301V');
  expect(initials('\u202eevil')).toBe('EV');
});
