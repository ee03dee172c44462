import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Where `npm run dev` sends what the Python service answers.
const SERVICE = 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
  // GraphiQL is a page of its own; every other path is the console's, as the service has it.
  appType: 'spa',
  build: {
    // As written: rewritten for older browsers, light-dark() would no longer follow Mantine's theme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    rolldownOptions: {
      input: { console: 'index.html', graphiql: 'graphiql.html' },
      // GraphiQL comes compiled; its leftover "use no memo" directives mean nothing here.
      checks: { moduleLevelDirective: false },
    },
    // The editor (Monaco) is one large chunk, and splitting it would not make it smaller.
    chunkSizeWarningLimit: 4000,
  },
  // The editor's workers import parts of themselves on demand, which only module workers can.
  worker: { format: 'es' },
  server: {
    proxy: { '/graphql': { target: SERVICE, ws: true }, '/session': SERVICE, '/sign-in': SERVICE },
  },
});
