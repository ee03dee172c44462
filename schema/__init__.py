"""What a client sees: the Strawberry schema."""

import strawberry
from graphql import GraphQLObjectType

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


def sdl() -> str:
    """The schema definition, as `schema/schema.graphql` holds it."""
    return schema.as_str() + "\n"
