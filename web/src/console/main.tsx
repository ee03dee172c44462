import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './console.css';

import { MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './App';
import { theme, variables } from './theme';
import { leaveToInputMethods } from './ui/composing';
import { Notices } from './ui/notices';
import { ignoreRepeats } from './ui/repeats';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
leaveToInputMethods(window);
ignoreRepeats(document);
createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={variables}>
    <Notices />
    <BrowserRouter>
      <App />
    </BrowserRouter>
  </MantineProvider>,
);
