import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { parseTwiml } from '../../../src/twin/twilio/twiml/document.ts';
import { parseXml, XmlFault } from '../../../src/twin/twilio/twiml/xml.ts';

describe('the XML reader', () => {
  it('reads elements, attributes, text, entities, character data, comments and instructions', () => {
    const text = `\u{feff}<?xml version="1.0"?><!-- a --><?pi x?>
      <Response a="1 &amp; 2" b='"'><!-- < --><Say x = "&#65;&#x42;">a &lt; b<![CDATA[ & <c>]]> &apos;&quot;</Say><?pi?><Pause/></Response>
      <!-- end -->`;
    expect(parseXml(text)).toEqual({
      name: 'Response',
      attributes: { a: '1 & 2', b: '"' },
      text: '',
      elements: [
        { name: 'Say', attributes: { x: 'AB' }, elements: [], text: 'a < b & <c> \'"' },
        { name: 'Pause', attributes: {}, elements: [], text: '' },
      ],
    });
  });

  it.each([
    ['nothing', ''],
    ['text alone', 'Sorry'],
    ['an element that is not closed', '<Response>'],
    ['an element closed by another', '<Response></Say>'],
    ['a closing tag without a name', '<Response></>'],
    ['a tag that does not end', '<Response'],
    ['an element without a name', '< Response/>'],
    ['an attribute without quotes', '<Response a=1/>'],
    ['an attribute twice', '<Response a="1" a="2"/>'],
    ['two roots', '<Response/><Response/>'],
    ['a bare ampersand', '<Response>a & b</Response>'],
    ['an unknown entity', '<Response>&nbsp;</Response>'],
    ['a character beyond Unicode', '<Response>&#x110000;</Response>'],
    ['a document type', '<!DOCTYPE Response [<!ENTITY a "b">]><Response>&a;</Response>'],
    ['a comment that does not end', '<Response><!-- </Response>'],
    ['nesting without end', '<a>'.repeat(40) + '</a>'.repeat(40)],
  ])('refuses %s', (_what, text) => {
    expect(() => parseXml(text)).toThrow(XmlFault);
  });

  it('gives back whatever the official package writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme-ascii' }), (said, value) => {
        const response = new twilio.twiml.VoiceResponse();
        response.say(said);
        response
          .connect({ action: '/after' })
          .stream({ url: 'wss://a.example' })
          .parameter({ name: 'a', value });
        const [say, connect] = parseXml(response.toString()).elements;
        expect(say?.text).toBe(said.trim());
        expect(connect?.elements[0]?.elements[0]?.attributes.value).toBe(value);
      }),
    );
  });

  it('throws nothing but its own fault, whatever the text', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '="',
      '"',
      '&',
      ';',
      '<!--',
      '-->',
      '<?',
      '?>',
      ']]>',
      '<![CDATA[',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 30, size: 'max' }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (anything) => {
        try {
          expect(parseXml(anything)).toHaveProperty('name');
        } catch (error) {
          expect(error).toBeInstanceOf(XmlFault);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a TwiML document', () => {
  it('warns of each element and attribute that TwiML does not have, and leaves those elements out', () => {
    const document = parseTwiml(
      '<Response version="1"><say>a</say><Say tone="low">b</Say><Dial><Sms/></Dial><Connect><Stream url="x" codec="y"/></Connect></Response>',
      null,
    );
    expect(document.verbs.map(({ name }) => name)).toEqual(['Say', 'Dial', 'Connect']);
    expect(document.warnings).toEqual([
      'unknown attribute version of <Response>',
      '<say> cannot be within <Response>',
      'unknown attribute tone of <Say>',
      '<Sms> cannot be within <Dial>',
      'unknown attribute codec of <Stream>',
    ]);
  });
});
