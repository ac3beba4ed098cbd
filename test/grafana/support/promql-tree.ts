/** What a query asks for, read by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

/** As Grafana fills them in. */
const variables: readonly [name: string, value: string][] = [
  ['$__rate_interval', '1m'],
  ['$__range', '1h'],
  ['$job', 'holdfast'],
  ['$instance', '.+'],
];

export const withVariables = (expr: string, own: readonly [string, string][] = []): string =>
  [...own, ...variables].reduce((text, [name, value]) => text.replaceAll(name, value), expr);

export interface QueryParts {
  /** Places that are no PromQL. */
  mistakes: number;
  /** Names of series. */
  names: string[];
  /** `name{...}` as they are written. */
  selectors: string[];
  /** Names within a rate or an increase. */
  rated: string[];
}

const rateFunction = /^(?:i?rate|increase|delta)$/;

type TreeNode = ReturnType<typeof parser.parse>['topNode'];

/** The function whose window a selector is in, or an empty text. */
function functionAround(selector: TreeNode, expr: string): string {
  if (!selector.matchContext(['FunctionCall', 'FunctionCallBody', 'MatrixSelector'])) return '';
  const call = selector.parent?.parent?.parent?.getChild('FunctionIdentifier');
  return call ? expr.slice(call.from, call.to) : '';
}

function addSelector(parts: QueryParts, selector: TreeNode, expr: string): void {
  const identifier = selector.getChild('Identifier');
  const name = identifier ? expr.slice(identifier.from, identifier.to) : '';
  parts.names.push(name);
  parts.selectors.push(expr.slice(selector.from, selector.to));
  if (rateFunction.test(functionAround(selector, expr))) parts.rated.push(name);
}

/** @param expr without variables of Grafana */
export function partsOf(expr: string): QueryParts {
  const parts: QueryParts = { mistakes: 0, names: [], selectors: [], rated: [] };
  parser.parse(expr).iterate({
    enter: ({ type, name, node }) => {
      if (type.isError) parts.mistakes += 1;
      if (name === 'VectorSelector') addSelector(parts, node, expr);
    },
  });
  return parts;
}
