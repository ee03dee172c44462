import { useParams } from 'react-router';
import { useQuery } from 'urql';
import { PersonaDocument, PersonaGroupsDocument, PersonaUsersDocument } from '../api/operations';
import { ResourcePage } from '../members/ResourcePage';

export function PersonaPage() {
  const { id = '' } = useParams();
  return <Persona key={id} id={id} />;
}

function Persona({ id }: { id: string }) {
  const [{ data, error }, retry] = useQuery({ query: PersonaDocument, variables: { id } });
  return (
    <ResourcePage
      id={id}
      noun="persona"
      resource={data?.persona}
      error={error}
      onRetry={retry}
      users={PersonaUsersDocument}
      groups={PersonaGroupsDocument}
    />
  );
}
