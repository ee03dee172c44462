import {
  buildSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
// The SDL that the service prints, so that a change of the schema cannot leave an example behind.
import sdl from '../../../schema/schema.graphql?raw';
import { examples } from './examples';

const schema = buildSchema(sdl);

describe.each(
  examples.map(({ query, variables = {} }) => {
    const document = parse(query);
    const operations = document.definitions.filter(
      (definition): definition is OperationDefinitionNode =>
        definition.kind === Kind.OPERATION_DEFINITION,
    );
    return { name: operations[0]?.name?.value, query, document, operations, variables };
  }),
)('the example $name', ({ name, query, document, operations, variables }) => {
  test('has a name, which its tab shows', () => {
    expect(name).toBeTruthy();
  });

  test('is valid against the schema', () => {
    expect(validate(schema, document)).toEqual([]);
  });

  test('has comments that fit the editor', () => {
    const comments = query.split('\n').filter((line) => line.trim().startsWith('#'));
    expect(comments.filter((line) => line.length > 58)).toEqual([]);
  });

  test('comes with the variables it asks for, and no others', () => {
    const asked = operations.flatMap(({ variableDefinitions = [] }) => variableDefinitions);
    expect(getVariableValues(schema, asked, variables).errors).toBeUndefined();
    expect(Object.keys(variables)).toEqual(asked.map(({ variable }) => variable.name.value));
  });
});
