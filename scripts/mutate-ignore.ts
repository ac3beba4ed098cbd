/**
 * Owns: what is not mutated wherever it stands: the words of an error, which are for people; programs read its code.
 * Does not own: which files are mutated (`stryker.config.mjs`).
 */

/** The part of a Babel path that is asked about. */
interface NodePath {
  key: string | number | null;
  listKey?: string | undefined;
  node: { type: string };
  parent?: { type: string; callee?: { type: string; name?: string } } | undefined;
}

const isText = ({ type }: NodePath['node']): boolean =>
  type === 'StringLiteral' || type === 'TemplateLiteral';

function isErrorMessage({ key, listKey, node, parent }: NodePath): boolean {
  if (parent?.type !== 'NewExpression' || listKey !== 'arguments' || key !== 1) return false;
  return isText(node) && /^(Retry|GiveUp|FixCall)Error$/.test(parent.callee?.name ?? '');
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'error-messages',
    value: {
      shouldIgnore: (path: NodePath) => (isErrorMessage(path) ? 'the words of an error' : undefined),
    },
  },
];
