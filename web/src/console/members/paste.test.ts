import { expect, test, vi } from 'vitest';
import { addAll, entriesOf, match } from './paste';

const ada = { id: 'usr_1', name: 'Ada Lovelace', email: 'ada@example.com' };
const bo = { id: 'usr_2', name: 'Bo', email: 'bo@example.com' };
const otherBo = { id: 'usr_3', name: 'Bo', email: 'bo2@example.com' };

test.each([
  ['one a line', 'Ada\nBo\r\nCy', ['Ada', 'Bo', 'Cy']],
  ['semicolons and tabs', 'Ada; Bo\tCy', ['Ada', 'Bo', 'Cy']],
  ['commas on its one line', 'Ada, Bo', ['Ada', 'Bo']],
  ['commas between addresses', 'a@b.c, d@e.f\nBo', ['a@b.c', 'd@e.f', 'Bo']],
  ['commas in names', 'Lovelace, Ada\nBo', ['Lovelace, Ada', 'Bo']],
  [
    'addresses as mail programs write them',
    'Ada Lovelace <ada@example.com>, Bo',
    ['ada@example.com', 'Bo'],
  ],
  [
    'names with commas on its one line',
    'Lovelace, Ada; Hopper, Grace',
    ['Lovelace, Ada', 'Hopper, Grace'],
  ],
  ['a name with a comma in it', '"Lovelace, Ada" <ada@example.com>, Bo', ['ada@example.com', 'Bo']],
  [
    'quotation marks',
    '"Ada"\n\'bo@example.com\'\n"Hopper, Grace"',
    ['Ada', 'bo@example.com', 'Hopper, Grace'],
  ],
  ['apostrophes in names', "O'Neill\nD'Arcy", ["O'Neill", "D'Arcy"]],
  [
    'commas at the ends of its lines',
    '<ada@example.com>,\nbo@example.com,',
    ['ada@example.com', 'bo@example.com'],
  ],
  [
    'commas and blanks at the ends of its lines',
    'ada@example.com, bo@example.com, \ncy@example.com, di@example.com',
    ['ada@example.com', 'bo@example.com', 'cy@example.com', 'di@example.com'],
  ],
  [
    'angle brackets and signs in names',
    'Coach <v2>\nCoach, @ work',
    ['Coach <v2>', 'Coach, @ work'],
  ],
  [
    'quotation marks within others',
    '"Ada ""Ace"" Byron"\n"Ada","Bo"',
    ['Ada "Ace" Byron', '"Ada","Bo"'],
  ],
  [
    'more on a line than can be told apart, which is not left out',
    'Bo, Ada <ada@example.com>, Cy <cy@example.com>\nDi',
    ['Bo, Ada <ada@example.com>, Cy <cy@example.com>', 'Di'],
  ],
  [
    'the rows of a spreadsheet',
    'Name\tEmail\r\nAda\tada@example.com\tSales\r\nBo\tbo@example.com\t\r\n',
    ['Name', 'Email', 'ada@example.com', 'bo@example.com'],
  ],
  [
    'the rows of a CSV file',
    '"Lovelace, Ada",ada@example.com\nBo;bo@example.com',
    ['ada@example.com', 'bo@example.com'],
  ],
  ['characters that cannot be seen', '\ufeffAda\n\u200bBo\u00a0\n', ['Ada', 'Bo']],
  ['blank lines and doubles', 'Ada\n\n  ada \n', ['ada']],
  ['a single name, which is no list', 'Ada Lovelace', ['Ada Lovelace']],
])('a pasted list may have %s', (_what, text, entries) => {
  expect(entriesOf(text)).toEqual(entries);
});

test('an email or a whole name is found, whatever its case', () => {
  expect(match('ADA@example.com', [], [ada, bo])).toMatchObject({ is: 'found', member: ada });
  expect(match('ada lovelace', [], [ada, bo])).toMatchObject({ is: 'found', member: ada });
  const jan = { id: 'usr_5', name: '\u01f0an', email: '\u01f0an@example.com' };
  expect(match('J\u030cAN@EXAMPLE.COM', [], [jan])).toMatchObject({ is: 'found', member: jan });
});

test('the case of an address does not depend on the language of the browser', () => {
  const inTurkish = vi.spyOn(String.prototype, 'toLocaleLowerCase');
  inTurkish.mockImplementation(function (this: string) {
    return this.replaceAll('I', 'ı').toLowerCase();
  });
  const info = { id: 'usr_4', name: 'Info', email: 'info@example.com' };
  expect(match('INFO@EXAMPLE.COM', [], [info])).toMatchObject({ is: 'found', member: info });
  inTurkish.mockRestore();
});

test('who is in the group already is told apart', () => {
  expect(match('Ada Lovelace', [ada], [bo])).toMatchObject({ is: 'there', member: ada });
});

test('a part of a name is not enough, and a name of several says nothing', () => {
  expect(match('Ada', [], [ada]).is).toBe('unknown');
  expect(match('Bo', [bo], [otherBo]).is).toBe('ambiguous');
  expect(match('bo2@example.com', [bo], [otherBo])).toMatchObject({ is: 'found', member: otherBo });
});

test('more than one write can add are added in several, until one is refused', async () => {
  const many = Array.from({ length: 2_500 }, () => ada);
  const sizes: number[] = [];
  const add = async (members: unknown[]) => sizes.push(members.length) !== 2;
  expect(await addAll(many.slice(0, 1_000), add)).toBe(true);
  expect(await addAll(many, add)).toBe(false);
  expect(await addAll(many, add)).toBe(true);
  expect(sizes).toEqual([1_000, 1_000, 1_000, 1_000, 500]);
});
