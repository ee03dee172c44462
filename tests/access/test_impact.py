"""What a write would do to people's access is exactly what it does."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from models.groups import delete_group
from models.impact import Diff, Proposal, access_impact
from models.kinds import BOTS, KINDS, PERSONAS, Kind
from models.membership_writes import add_members, remove_members
from tests.access.world import Pair, Step, World, several, steps

proposals = st.builds(
    Step,
    verb=st.sampled_from(["add", "remove", "delete group"]),
    kind=st.sampled_from(KINDS),
    number=st.integers(0, 12),
    numbers=several,
)


def pairs(diffs: list[Diff]) -> set[Pair]:
    """The pairs that an impact tells, each of which it must tell once."""
    told = [
        (diff.user_id, id) for diff in diffs for kind in (BOTS, PERSONAS) for id in diff.held[kind]
    ]
    assert len(set(told)) == len(told)
    assert all(diff.held[BOTS] or diff.held[PERSONAS] for diff in diffs)
    return set(told)


async def carry_out(world: World, proposal: Proposal, revision: int) -> None:
    """Make the write that was thought of, at the revision at which it was looked at."""
    if proposal.kind is None:
        await delete_group(world.viewer, proposal.group_id, revision)
        return
    verb = add_members if proposal.adds else remove_members
    await verb(world.viewer, proposal.kind, proposal.group_id, proposal.member_ids, revision)


@settings(settings.get_profile("access"), max_examples=60)
@given(history=st.lists(steps, max_size=8), planned=proposals)
async def test_gains_and_losses_are_the_difference_that_the_write_makes(
    database: TortoiseContext, history: list[Step], planned: Step
) -> None:
    world = await World.make()
    for step in history:
        await world.take(step)
    before, group = world.state, world.group(planned.number)
    if group is None:
        return
    kind: Kind | None = None if planned.verb == "delete group" else planned.kind
    members = world.members(planned.kind, planned.numbers)
    proposal = Proposal(group, kind, members if kind else (), adds=planned.verb == "add")
    impact = await access_impact(world.viewer, proposal)
    assert (await world.look()).revision == before.revision

    await carry_out(world, proposal, before.revision)

    after = await world.look()
    assert pairs(impact.gains) == after.access - before.access
    assert pairs(impact.losses) == before.access - after.access
    touched = before.given_by(group) ^ after.given_by(group)
    assert pairs(impact.kept) == touched & before.access & after.access
