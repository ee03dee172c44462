import { PersonasDocument } from '../api/operations';
import { PERSONAS } from '../members/kinds';
import { MemberLine } from '../members/MemberLine';
import { MemberLink } from '../members/MemberLink';
import { DirectoryPage } from '../ui/DirectoryPage';

export function PersonasPage() {
  return (
    <DirectoryPage
      title="Personas"
      one="persona"
      query={PersonasDocument}
      columns={[
        {
          head: 'Name',
          cell: (persona) => (
            <MemberLine member={persona} name={<MemberLink kind={PERSONAS} member={persona} />} />
          ),
        },
        {
          head: 'Description',
          cell: (persona) => (
            <span style={{ overflowWrap: 'anywhere' }}>{persona.description}</span>
          ),
          isAside: true,
        },
        { head: 'Groups', cell: (persona) => persona.groupCount.toLocaleString() },
      ]}
    />
  );
}
