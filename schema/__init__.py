"""What a client sees: the Strawberry schema."""

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.enums import CONFIG
from schema.mutations import Mutation
from schema.query import Query
from schema.subscription import Subscription

schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=CONFIG)

for graphql_type in schema._schema.type_map.values():
    # An object is of the type that its field says, and a Node is told by its id. Strawberry would
    # ask each row whether it is an instance of the class; it is a row, and it is asked often.
    if isinstance(graphql_type, GraphQLObjectType):
        graphql_type.is_type_of = None
    # Strawberry looks at such inputs itself, and late: when they are made. graphql-core's rules
    # would refuse the document, or the variables, if they were told.
    if isinstance(graphql_type, GraphQLInputObjectType):
        definition = graphql_type.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        graphql_type.is_one_of = definition.is_one_of


def sdl() -> str:
    """The schema definition, as `schema/schema.graphql` holds it."""
    return schema.as_str() + "\n"
