import { useParams } from 'react-router';
import { useQuery } from 'urql';
import { BotDocument, BotGroupsDocument, BotUsersDocument } from '../api/operations';
import { ResourcePage } from '../members/ResourcePage';

export function BotPage() {
  const { id = '' } = useParams();
  return <Bot key={id} id={id} />;
}

function Bot({ id }: { id: string }) {
  const [{ data, error }, retry] = useQuery({ query: BotDocument, variables: { id } });
  return (
    <ResourcePage
      id={id}
      noun="bot"
      resource={data?.bot}
      error={error}
      onRetry={retry}
      users={BotUsersDocument}
      groups={BotGroupsDocument}
    />
  );
}
