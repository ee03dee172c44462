import { BotsDocument } from '../api/operations';
import { BOTS } from '../members/kinds';
import { MemberLine } from '../members/MemberLine';
import { MemberLink } from '../members/MemberLink';
import { DirectoryPage } from '../ui/DirectoryPage';

export function BotsPage() {
  return (
    <DirectoryPage
      title="Bots"
      one="bot"
      query={BotsDocument}
      columns={[
        {
          head: 'Name',
          cell: (bot) => <MemberLine member={bot} name={<MemberLink kind={BOTS} member={bot} />} />,
        },
        {
          head: 'Description',
          cell: (bot) => <span style={{ overflowWrap: 'anywhere' }}>{bot.description}</span>,
          isAside: true,
        },
        { head: 'Groups', cell: (bot) => bot.groupCount.toLocaleString() },
      ]}
    />
  );
}
