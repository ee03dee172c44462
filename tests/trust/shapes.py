"""Documents that have so many of one thing, and little of all else."""


def characters(n: int) -> str:
    text = "{ __typename }"
    return text + " " * (n - len(text))


def tokens(n: int) -> str:
    """Comments are tokens too."""
    return "{ __typename " + "#\n" * (n - 3) + "}"


def fields_in_fields(n: int) -> str:
    """`{ groups { nodes { users { nodes { groups … { __typename } } } } } }`."""
    names = ["groups(first: 1)", "nodes", "users(first: 1)", "nodes"]
    path = [names[level % 4] for level in range(n - 1)]
    return "{ " + " { ".join([*path, "__typename"]) + " }" * n


def fields_in_fields_of_a_fragment(n: int) -> str:
    inner = fields_in_fields(n).removeprefix("{ groups(first: 1) { nodes ").removesuffix(" } }")
    return f"{{ groups(first: 1) {{ nodes {{ ...Inner }} }} }} fragment Inner on Group {inner}"


def fragments_in_fragments(n: int) -> str:
    parts = [f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(1, n)]
    return " ".join(["{ ...F1 }", *parts, f"fragment F{n} on Query {{ __typename }}"])


def inline_fragments_in_each_other(n: int) -> str:
    return "{ " + "... { " * n + "__typename" + " }" * n + " }"


def selections(n: int) -> str:
    """A fragment of 48, spread once for each 50; no alias is needed twice."""
    counted = "{ totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
    user = "id externalId name email avatarUrl role status createdAt groupCount"
    own = "id name revision groupCount userCount botCount personaCount"
    fragment = (
        f"fragment F on Viewer {{ __typename role user {{ {user} groups {counted} }} "
        f"organization {{ {own} }} groups {counted} bots {counted} personas {counted} }}"
    )
    times, rest = divmod(n, 50)
    roots = [f"a{i}: viewer {{ ...F }}" for i in range(times)] + [
        f"b{i}: __typename" for i in range(rest)
    ]
    return f"{{ {' '.join(roots)} }} {fragment}"


def fragments(n: int) -> str:
    spreads = " ".join(f"...F{i}" for i in range(n))
    parts = " ".join(f"fragment F{i} on Organization {{ name }}" for i in range(n))
    return f"{{ organization {{ {spreads} }} }} {parts}"


def root_fields(n: int) -> str:
    return "{ " + " ".join(f"a{i}: __typename" for i in range(n)) + " }"


def root_fields_of_operations(n: int) -> str:
    return " ".join(f"query Q{i} {{ __typename }}" for i in range(n))


def root_fields_of_fragments(n: int) -> str:
    rest = " ".join(f"a{i}: __typename" for i in range(n - 2))
    return f"{{ ...F {rest} }} fragment F on Query {{ b: __typename c: __typename }}"


def aliases(n: int) -> str:
    return "{ organization { " + " ".join(f"a{i}: name" for i in range(n)) + " } }"


def aliases_of_a_fragment_that_is_spread_again(n: int) -> str:
    own = " ".join(f"a{i}: groupCount" for i in range(9))
    times, rest = divmod(n, 10)
    parts = [f"r{i}: organization {{ ...Nine }}" for i in range(times)]
    more = " ".join(f"b{i}: name" for i in range(rest))
    return (
        f"{{ {' '.join(parts)} organization {{ name {more} }} }} "
        f"fragment Nine on Organization {{ {own} }}"
    )


def directives(n: int) -> str:
    pairs = " ".join(f"a{i}: name @include(if: true) @skip(if: false)" for i in range(n // 2))
    return f"{{ organization {{ {pairs} {'name @include(if: true)' * (n % 2)} }} }}"


def directives_of_a_fragment_that_is_spread_again(n: int) -> str:
    times, rest = divmod(n, 2)
    spreads = " ".join("...One @include(if: true)" for _ in range(times))
    more = "groupCount @include(if: true)" * rest
    part = "fragment One on Organization { name @include(if: true) }"
    return f"{{ organization {{ id {spreads} {more} }} }} {part}"


def repeated_fields(n: int) -> str:
    return "{ organization { name " + "name " * n + "} }"


def repeated_fields_in_what_is_merged(n: int) -> str:
    """Each further `organization { … }` repeats five."""
    own = "id name groupCount userCount"
    again = f"organization {{ {own} }} " * (n // 5)
    return f"{{ organization {{ {own} {'name ' * (n % 5)} }} {again} }}"


def repeated_fields_of_fragments(n: int) -> str:
    return (
        "{ organization { name ...A } } fragment A on Organization { ...B } "
        "fragment B on Organization { " + "name " * n + "}"
    )


def lists_in_lists_of_introspection(n: int) -> str:
    return "{ __schema { types { " + "fields { type { " * n + "name" + " } }" * n + " } } }"


def lists_in_lists_of_introspection_by_fragments(n: int) -> str:
    parts = [f"fragment F{i} on __Type {{ fields {{ type {{ ...F{i + 1} }} }} }}" for i in range(n)]
    root = '{ __type(name: "Query") { ...F0 } }'
    return " ".join([root, *parts, f"fragment F{n} on __Type {{ name }}"])


def ids(n: int) -> str:
    return "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def ids_in_the_document(n: int) -> str:
    return "{ nodes(ids: [" + '"x" ' * n + "]) { id } }"


def questions(n: int) -> str:
    return "query($q: [AccessQuestion!]!) { checkAccess(questions: $q) { allowed } }"


def first(n: int) -> str:
    return f"{{ groups(first: {n}) {{ totalCount }} }}"


def last(n: int) -> str:
    return f"{{ groups(last: {n}) {{ totalCount }} }}"


def last_beside_first(n: int) -> str:
    return f"{{ groups(first: 1, last: {n}) {{ totalCount }} }}"


def first_by_variable(n: int) -> str:
    return "query($n: Int) { groups(first: $n) { totalCount } }"


def first_by_default(n: int) -> str:
    return f"query($n: Int = {n}) {{ groups(first: $n) {{ totalCount }} }}"


def first_in_a_fragment(n: int) -> str:
    part = f"fragment F on Group {{ users(first: {n}) {{ totalCount }} }}"
    return f"{{ groups {{ nodes {{ ...F }} }} }} {part}"
