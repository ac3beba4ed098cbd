/**
 * Owns: what is fixed about a chart: which of its states a transition leaves and enters, and which transitions a state
 * has for an event. Worked out once, because a step asks for it again and again.
 * Does not own: which transition is taken, what is done in it (`macrostep.ts`).
 *
 * States are numbered in the order of the document, so the descendants of one follow it without a gap.
 *
 * Source: W3C, SCXML, "Algorithm for SCXML interpretation", as XState carries it out.
 */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** A state that is entered; `byDefault`: the actions of its initial transition are carried out as well. */
export interface Entered {
  node: AnyStateNode;
  byDefault: boolean;
}

/** Numbers of states, both included. */
export interface Range {
  first: number;
  last: number;
}

export const isAtomic = ({ type }: AnyStateNode): boolean => type === 'atomic' || type === 'final';

const childrenOf = (node: AnyStateNode): AnyStateNode[] => Object.values(node.states);

/** Whether the chart has nothing but states, guards and actions: no history, no actors, no ends but its own. */
export function isPlain(root: AnyStateNode): boolean {
  const isPlainBelow = (node: AnyStateNode): boolean =>
    node.type !== 'history' &&
    node.invoke.length === 0 &&
    (node.type !== 'final' || node.parent === root) &&
    ![...node.transitions.keys()].some((descriptor) => descriptor.includes('*')) &&
    childrenOf(node).every(isPlainBelow);
  return root.type === 'compound' && isPlainBelow(root);
}

export class Topology {
  readonly #root: AnyStateNode;
  /** By its number, the number of the last descendant of a state. */
  readonly #last: number[] = [];
  readonly #domains = new Map<AnyTransitionDefinition, AnyStateNode | undefined>();
  readonly #left = new Map<AnyTransitionDefinition, Range | null>();
  readonly #numbers = new Map<AnyTransitionDefinition, number>();
  readonly #entered = new Map<string, readonly Entered[]>();
  readonly #reactions = new Map<string, Reactions>();
  readonly #eventless = new Map<AnyStateNode, readonly AnyTransitionDefinition[]>();

  constructor(root: AnyStateNode) {
    this.#root = root;
    this.#number(root);
  }

  /** By event type; the types of a chart's events are few. */
  reactionsTo(type: string): Reactions {
    const known = this.#reactions.get(type);
    if (known) return known;
    const reactions = new Reactions(this.#root, type);
    this.#reactions.set(type, reactions);
    return reactions;
  }

  /** The transitions without an event that an active atomic state looks at: its own first, its ancestors' after. */
  eventlessOf(atomic: AnyStateNode): readonly AnyTransitionDefinition[] {
    const known = this.#eventless.get(atomic);
    if (known) return known;
    const found = [atomic, ...ancestorsOf(atomic)].flatMap(({ always }) => always ?? []);
    this.#eventless.set(atomic, found);
    return found;
  }

  isDescendant({ order }: AnyStateNode, ancestor: AnyStateNode | undefined): boolean {
    if (ancestor === undefined) return true;
    return order > ancestor.order && order <= (this.#last[ancestor.order] ?? -1);
  }

  /** The states that the transition leaves, where they are active; null where it leaves none. */
  leftBy(transition: AnyTransitionDefinition): Range | null {
    const known = this.#left.get(transition);
    if (known !== undefined) return known;
    const left = transition.target?.length ? this.#rangeLeftBy(transition) : null;
    this.#left.set(transition, left);
    return left;
  }

  /** What the transitions, which are of no conflict, enter together: in the order of the document. */
  enteredBy(transitions: readonly AnyTransitionDefinition[]): readonly Entered[] {
    const key = transitions.map((transition) => this.#numberOf(transition)).join();
    const known = this.#entered.get(key);
    if (known) return known;
    const entry = new EntrySet(this);
    for (const transition of transitions) entry.add(transition, this.#domainOf(transition));
    const entered = entry.inOrder();
    this.#entered.set(key, entered);
    return entered;
  }

  #rangeLeftBy(transition: AnyTransitionDefinition): Range {
    const domain = this.#domainOf(transition);
    if (domain === undefined) return { first: 0, last: this.#last[this.#root.order] ?? 0 };
    return { first: domain.order + 1, last: this.#last[domain.order] ?? 0 };
  }

  #number(node: AnyStateNode): number {
    const last = childrenOf(node).reduce((_, child) => this.#number(child), node.order);
    this.#last[node.order] = last;
    return last;
  }

  #numberOf(transition: AnyTransitionDefinition): number {
    const number = this.#numbers.get(transition) ?? this.#numbers.size;
    this.#numbers.set(transition, number);
    return number;
  }

  /** The innermost state that stays active whatever the transition leaves; undefined where none does. */
  #domainOf(transition: AnyTransitionDefinition): AnyStateNode | undefined {
    if (this.#domains.has(transition)) return this.#domains.get(transition);
    const domain = this.#findDomain(transition);
    this.#domains.set(transition, domain);
    return domain;
  }

  #findDomain({ target = [], source, reenter }: AnyTransitionDefinition): AnyStateNode | undefined {
    const isWithin = target.every((node) => node === source || this.isDescendant(node, source));
    if (!reenter && isWithin) return source;
    const [first = source, ...others] = [...target, source];
    const common = ancestorsOf(first).find((ancestor) =>
      others.every((node) => this.isDescendant(node, ancestor)),
    );
    return common ?? (reenter ? undefined : this.#root);
  }
}

const nothing: readonly AnyTransitionDefinition[] = [];

/** Which transitions each state has for one type of event. */
export class Reactions {
  readonly #own: (readonly AnyTransitionDefinition[])[] = [];
  readonly #below: boolean[] = [];

  constructor(root: AnyStateNode, type: string) {
    this.#collect(root, type);
  }

  /** In the order in which their guards are asked. */
  of({ order }: AnyStateNode): readonly AnyTransitionDefinition[] {
    return this.#own[order] ?? nothing;
  }

  /** Whether the state, or one within it, has any. */
  isAnyIn({ order }: AnyStateNode): boolean {
    return this.#below[order] ?? false;
  }

  #collect(node: AnyStateNode, type: string): boolean {
    const own = node.transitions.get(type) ?? nothing;
    const below = childrenOf(node).filter((child) => this.#collect(child, type));
    this.#own[node.order] = own;
    this.#below[node.order] = own.length > 0 || below.length > 0;
    return this.#below[node.order] ?? false;
  }
}

/** Ancestors of a state, the innermost first, up to and without `limit`. */
function ancestorsOf(node: AnyStateNode, limit?: AnyStateNode): AnyStateNode[] {
  const ancestors: AnyStateNode[] = [];
  if (node === limit) return ancestors;
  for (let next = node.parent; next && next !== limit; next = next.parent) ancestors.push(next);
  return ancestors;
}

/** SCXML, `computeEntrySet`. */
class EntrySet {
  readonly #topology: Topology;
  readonly #nodes = new Set<AnyStateNode>();
  readonly #byDefault = new Set<AnyStateNode>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  inOrder(): Entered[] {
    const nodes = [...this.#nodes].sort((one, other) => one.order - other.order);
    return nodes.map((node) => ({ node, byDefault: this.#byDefault.has(node) }));
  }

  add(transition: AnyTransitionDefinition, domain: AnyStateNode | undefined): void {
    const { target = [], source, reenter } = transition;
    for (const node of target) {
      if (source !== node || source !== domain || reenter) this.#enter(node);
      this.#addDescendants(node);
    }
    const within = !source.parent && reenter ? undefined : domain;
    for (const node of target) {
      const ancestors = ancestorsOf(node, domain);
      if (domain?.type === 'parallel') ancestors.push(domain);
      this.#addAncestors(ancestors, within);
    }
  }

  #enter(node: AnyStateNode): void {
    this.#nodes.add(node);
    this.#byDefault.add(node);
  }

  #addDescendants(node: AnyStateNode): void {
    if (node.type === 'parallel') this.#addRegions(node, (region) => this.#enter(region));
    if (node.type !== 'compound') return;
    const [initial] = node.initial.target ?? [];
    if (!initial) return;
    this.#enter(initial);
    this.#addDescendants(initial);
    this.#addAncestors(ancestorsOf(initial, node), undefined);
  }

  #addAncestors(ancestors: readonly AnyStateNode[], within: AnyStateNode | undefined): void {
    for (const ancestor of ancestors) {
      if (this.#topology.isDescendant(ancestor, within)) this.#nodes.add(ancestor);
      if (ancestor.type === 'parallel') this.#addRegions(ancestor, (region) => this.#nodes.add(region));
    }
  }

  /** Regions of a parallel state of which nothing else is entered begin where they begin. */
  #addRegions(parallel: AnyStateNode, enter: (region: AnyStateNode) => void): void {
    for (const region of childrenOf(parallel)) {
      const isEntered = [...this.#nodes].some((node) => this.#topology.isDescendant(node, region));
      if (isEntered) continue;
      enter(region);
      this.#addDescendants(region);
    }
  }
}
