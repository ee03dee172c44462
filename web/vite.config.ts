import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Where `npm run dev` sends what the Python service answers.
const SERVICE = 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
  // Each page is its own html file beside this one; an unknown path is a 404, not another page.
  appType: 'mpa',
  build: {
    // One line a page. The console's will be `console: 'index.html'`, its code in src/console/.
    rolldownOptions: {
      input: { graphiql: 'graphiql.html' },
      // GraphiQL comes compiled; its leftover "use no memo" directives mean nothing here.
      checks: { moduleLevelDirective: false },
    },
    // The editor (Monaco) is one large chunk, and splitting it would not make it smaller.
    chunkSizeWarningLimit: 4000,
  },
  // The editor's workers import parts of themselves on demand, which only module workers can.
  worker: { format: 'es' },
  server: { proxy: { '/graphql': { target: SERVICE, ws: true } } },
});
