/** An email address. It breaks behind its @ if it must, and elsewhere if a part of it is too long. */
export function Address({ children }: { children: string }) {
  const at = children.lastIndexOf('@') + 1;
  return (
    <span style={{ overflowWrap: 'anywhere' }}>
      {children.slice(0, at)}
      {/* Chromium's name of what holds it would have a space there. */}
      <wbr aria-hidden />
      {children.slice(at)}
    </span>
  );
}
