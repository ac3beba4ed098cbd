/** Owns: what somebody's code may throw that is hard to read. Each is made anew, as some change when they are looked at. */

const throwing = {
  configurable: true,
  enumerable: true,
  get(): never {
    throw new Error('the getter throws');
  },
};

const withThrowing = (field: string) => () => Object.defineProperty(new Error('odd'), field, throwing);
const withField = (field: string, value: unknown) => () =>
  Object.assign(new Error('odd'), { [field]: value });

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable(new Error('odd'), {});
  revoke();
  return proxy;
}

/** As a library leaves one that wants the places of a stack as objects. */
function withPlaces(): Error {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, places) => places;
  const error = new Error('odd');
  void error.stack;
  Error.prepareStackTrace = before;
  return error;
}

function withCauses(count: number): Error {
  let error = new Error('the first');
  for (let index = 0; index < count; index += 1) error = new Error('odd', { cause: error });
  return error;
}

export const oddThrows: readonly (readonly [string, () => unknown])[] = [
  ['a stack that is an object', withField('stack', { frames: [] })],
  ['a stack of places', withPlaces],
  ['a name that is a symbol', withField('name', Symbol('odd'))],
  ['a message that is a number', withField('message', 5)],
  ['a toJSON that throws', withField('toJSON', throwing.get)],
  ['a stack that throws', withThrowing('stack')],
  ['a message that throws', withThrowing('message')],
  ['a name that throws', withThrowing('name')],
  ['a code that throws', withThrowing('code')],
  ['a cause that throws', withThrowing('cause')],
  ['a proxy that is revoked', revoked],
  ['an error that is frozen', () => Object.freeze(new Error('odd'))],
  ['20,000 causes', () => withCauses(20_000)],
  ['an object without a prototype', () => Object.create(null)],
  ['null', () => null],
];
