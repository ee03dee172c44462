"""The fields of `Mutation`, merged from one class per noun."""

import strawberry

from schema.mutations.directory import DirectoryMutations
from schema.mutations.groups import GroupMutations
from schema.mutations.tokens import TokenMutations
from schema.mutations.undo import UndoMutations


@strawberry.type(
    description="Operations that write. Each is all or nothing, and requires the role ADMIN."
)
class Mutation(GroupMutations, UndoMutations, DirectoryMutations, TokenMutations):
    pass
