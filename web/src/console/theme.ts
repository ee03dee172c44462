import { type CSSVariablesResolver, createTheme, InputError, Modal } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'indigo',
  // Dark enough for white text on it (WCAG 2.2, 1.4.3), red too, in both themes.
  primaryShade: 8,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // The focus stays in the field, so nobody would be told of what it says below.
    InputError: InputError.extend({ defaultProps: { role: 'alert' } }),
    // Its header would count as a second one of the page.
    Modal: Modal.extend({ defaultProps: { attributes: { header: { role: 'presentation' } } } }),
  },
});

/** Text that stands back still has contrast enough on every ground of these pages. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-7)',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
  },
  dark: {
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-1)',
    '--mantine-color-error': 'var(--mantine-color-red-4)',
    '--mantine-color-anchor': 'var(--mantine-color-indigo-3)',
  },
});
