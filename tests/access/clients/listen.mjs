// Listens to `changes` with a client that browsers use, and prints each edge as a line of JSON.
//
//   node listen.mjs graphql-ws|graphql-sse TOKEN CURSOR|- URL [URL…]
//
// When the connection ends it connects again, to the next URL, from the last cursor that it saw: so
// a client must go on, since neither protocol knows cursors. It ends when its input does.

import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [kind, token, cursor, ...urls] = process.argv.slice(2);
const query = `subscription($after: String) {
  changes(after: $after) { cursor node { revision action } } }`;
const authorization = { Authorization: `Bearer ${token}` };

let after = cursor === "-" ? null : cursor;
let round = 0;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const connect = (url) =>
  kind === "graphql-ws"
    ? createWsClient({
        url: url.replace("http:", "ws:"),
        webSocketImpl: WebSocket,
        connectionParams: authorization,
        retryAttempts: 0,
        lazy: true,
        on: { closed: (event) => say({ closed: event.code ?? null, reason: event.reason }) },
      })
    : createSseClient({ url, headers: authorization, retryAttempts: 0 });

const listen = (client) =>
  new Promise((resolve) => {
    client.subscribe(
      { query, variables: { after } },
      {
        next: ({ data, errors }) => {
          if (errors) return say({ errors });
          after = data.changes.cursor;
          say({ revision: data.changes.node.revision, cursor: after });
        },
        error: (error) => {
          say({ error: Array.isArray(error) ? error[0].extensions?.code : String(error) });
          resolve();
        },
        complete: () => {
          say({ complete: true });
          resolve();
        },
      },
    );
  });

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

for (;;) {
  const client = connect(urls[round++ % urls.length]);
  await listen(client);
  await client.dispose();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
