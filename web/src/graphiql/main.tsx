// First, so that the workers are known before the editor asks for one.
import './workers';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';

import { createRoot } from 'react-dom/client';
import { GraphiQLPage } from './GraphiQLPage';

const root = document.getElementById('root');
if (!root) throw new Error('graphiql.html has no #root');
createRoot(root).render(<GraphiQLPage />);
