"""The six operations: GraphQL documents and the variables that they are asked with."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bench import names
from bench.data import Sample

VARIETY = 200  # different variables an operation, at most

GROUPS_TABLE = """
query GroupsTable {
  groups(first: 50) {
    totalCount
    nodes { id name description updatedAt userCount botCount personaCount }
    pageInfo { hasNextPage }
  }
}
"""

GROUP_EXPANDED = """
query GroupExpanded($id: ID!) {
  group(id: $id) {
    id name description userCount botCount personaCount
    users(first: 50) {
      totalCount
      edges { addedAt node { id name email avatarUrl } }
      pageInfo { hasNextPage }
    }
    bots(first: 50) {
      totalCount
      edges { addedAt node { id name description avatarUrl features } }
      pageInfo { hasNextPage }
    }
    personas(first: 50) {
      totalCount
      edges { addedAt node { id name description avatarUrl } }
      pageInfo { hasNextPage }
    }
  }
}
"""

NESTED = """
query Nested {
  groups(first: 25) {
    nodes {
      id name userCount botCount personaCount
      users(first: 20) { nodes { id name avatarUrl } }
      bots(first: 20) { nodes { id name features } }
      personas(first: 20) { nodes { id name avatarUrl } }
    }
  }
}
"""

PICKER = """
query Picker($id: ID!, $search: String!) {
  group(id: $id) {
    availableUsers(first: 50, search: $search) {
      nodes { id name email avatarUrl }
      pageInfo { hasNextPage }
    }
  }
}
"""

USER_BOTS = """
query UserBots($id: ID!) {
  user(id: $id) {
    id name
    bots(first: 50) {
      totalCount
      edges { node { id name description avatarUrl features } via { id name } }
      pageInfo { hasNextPage }
    }
  }
}
"""

ADD = """
mutation Add($input: AddUsersToGroupInput!) {
  addUsersToGroup(input: $input) { group { id userCount } userErrors { code message } }
}
"""

REMOVE = """
mutation Remove($input: RemoveUsersFromGroupInput!) {
  removeUsersFromGroup(input: $input) { group { id userCount } userErrors { code message } }
}
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to time: request bodies that are sent in turn.

    The reads have one series, that every connection begins at another place. Where requests belong
    together, as adding and removing do, each connection has a series of its own and finishes it.

    `in_plain` says whether the plain server knows it, too. `connections` is how many there are, if
    not as many as for the others.
    """

    name: str
    series: Sequence[Sequence[bytes]]
    writes: bool = False
    in_plain: bool = True
    connections: int | None = None


def operations(sample: Sample, connections: int) -> list[Operation]:
    """The six, with variables drawn from the first organization."""
    rng = random.Random(len(sample.user_ids))
    groups = rng.sample(sample.group_ids, min(VARIETY, len(sample.group_ids)))
    users = rng.sample(sample.user_ids, min(VARIETY, len(sample.user_ids)))
    picks = [{"id": id, "search": rng.choice(names.SEARCHES)} for id in groups]
    return [
        _read("Groups table (50)", GROUPS_TABLE, [{}]),
        _read("Group expanded (50/50/50)", GROUP_EXPANDED, [{"id": id} for id in groups]),
        _read("Nested (25 x 20/20/20)", NESTED, [{}]),
        _read("Picker with search", PICKER, picks),
        _read("User's bots with via", USER_BOTS, [{"id": id} for id in users]),
        Operation("Add, then remove", [pair(sample, i) for i in range(connections)], writes=True),
    ]


def _read(name: str, document: str, variables: Sequence[Mapping[str, Any]]) -> Operation:
    return Operation(name, [[body(document, one) for one in variables]])


def pair(sample: Sample, number: int) -> list[bytes]:
    """Two requests: a user into a group, and out again. Each number has another group."""
    group_id = sample.group_ids[number % len(sample.group_ids)]
    value = {"groupId": group_id, "userIds": [sample.outsiders[group_id]]}
    return [body(document, {"input": value}) for document in (ADD, REMOVE)]


def body(document: str, variables: Mapping[str, Any]) -> bytes:
    """The body of a request."""
    return orjson.dumps({"query": document, "variables": variables})
