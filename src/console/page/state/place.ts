/**
 * Owns: where in the console one is, as the part of the address behind the `#`.
 * Does not own: what is shown there.
 */
export type Place =
  | { name: 'live' }
  | { name: 'past'; query: URLSearchParams }
  | { name: 'call'; callId: string; seq: number | null }
  | { name: 'health' }
  | { name: 'instances' }
  | { name: 'try' };

export type PlaceName = Place['name'];

/** What is not known leads to the live calls. */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', id] = path.split('/');
  const parameters = new URLSearchParams(query);
  if (name === 'past') return { name, query: parameters };
  if (name === 'health' || name === 'instances' || name === 'try') return { name };
  if (name !== 'calls' || !id) return { name: 'live' };
  const seq = Number(parameters.get('seq'));
  return { name: 'call', callId: decodeURIComponent(id), seq: seq > 0 ? seq : null };
}

export function addressOf(place: Place): string {
  if (place.name === 'live') return '#/';
  if (place.name === 'call') {
    const at = place.seq === null ? '' : `?seq=${place.seq}`;
    return `#/calls/${encodeURIComponent(place.callId)}${at}`;
  }
  if (place.name !== 'past') return `#/${place.name}`;
  const query = place.query.toString();
  return query === '' ? '#/past' : `#/past?${query}`;
}
