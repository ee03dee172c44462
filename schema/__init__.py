"""The Strawberry schema, assembled: everything that a client can see."""

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.enums import CONFIG
from schema.mutations import Mutation
from schema.query import Query
from schema.subscription import Subscription

schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=CONFIG)

for graphql_type in schema._schema.type_map.values():
    # A field's declared type, or a Node's id, already gives an object's type. Strawberry would test
    # every object with isinstance, but ours are database rows, and there are many of them.
    if isinstance(graphql_type, GraphQLObjectType):
        graphql_type.is_type_of = None
    # Strawberry checks `@oneOf` inputs only when it instantiates them. With this flag, graphql-core
    # refuses the document or its variables before anything is executed.
    if isinstance(graphql_type, GraphQLInputObjectType):
        definition = graphql_type.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        graphql_type.is_one_of = definition.is_one_of


def sdl() -> str:
    """The schema definition, as `schema/schema.graphql` holds it."""
    return schema.as_str() + "\n"
