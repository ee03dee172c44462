import { Via } from '../access/Via';
import { kept } from '../ui/kept';
import type { Kind, Member } from './kinds';
import { MemberLine } from './MemberLine';
import { MemberLink } from './MemberLink';

interface Props {
  kind: Kind;
  edge: { node: Member; via: { id: string; name: string }[] };
  /** Whether there is a page to lead to. */
  isLinked?: boolean;
}

/** Something that somebody may use, or somebody who may use it, and why. */
export const AccessLine = kept(function AccessLine({ kind, edge, isLinked = true }: Props) {
  return (
    <MemberLine
      member={edge.node}
      name={isLinked && <MemberLink kind={kind} member={edge.node} />}
      note={<Via groups={edge.via} />}
    />
  );
});
