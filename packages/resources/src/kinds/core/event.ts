import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { int32, object, text, time } from '../../schema/fields.ts';
import { objectReference } from '../../schema/object-reference.ts';

function eventSchema() {
  return object(
    'An event.',
    {
      involvedObject: objectReference('The object that the event is about.'),
      related: objectReference('A further object that has to do with it.'),
      reason: text('Why, as one CamelCase word.', { max: 128 }),
      message: text('What happened, as a sentence.', { max: 1024 }),
      type: text('Normal or Warning.'),
      source: object('Who reports it.', {
        component: text('Name of the component.'),
        host: text('Where it runs.'),
      }),
      reportingComponent: text('Name of the controller that reports it.'),
      reportingInstance: text('Which instance of it.', { max: 128 }),
      action: text('What was done or failed.', { max: 128 }),
      count: int32('How often it happened.'),
      firstTimestamp: time('When it happened first.'),
      lastTimestamp: time('When it happened last.'),
      eventTime: time('When it happened, to the microsecond.'),
      series: object('That it goes on happening.', {
        count: int32('How often so far.'),
        lastObservedTime: time('When last.'),
      }),
    },
    ['involvedObject'],
  );
}

/** Something that happened to an object. */
export type Event = ObjectOf<typeof eventSchema>;

export const eventKind = declareKind<Event>({
  group: '',
  versions: ['v1'],
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'Something that happened to an object.',
  schema: eventSchema,
  columns: [
    {
      name: 'Last Seen',
      type: 'date',
      priority: 0,
      description: 'When it happened last.',
      value: (event) =>
        event.series?.lastObservedTime ??
        event.lastTimestamp ??
        event.eventTime ??
        event.firstTimestamp ??
        event.metadata.creationTimestamp,
    },
    { name: 'Type', type: 'string', priority: 0, description: 'Normal or Warning.', value: (event) => event.type },
    { name: 'Reason', type: 'string', priority: 0, description: 'Why.', value: (event) => event.reason },
    {
      name: 'Object',
      type: 'string',
      priority: 0,
      description: 'The object that it is about.',
      value: ({ involvedObject: { kind = '', name = '' } }) => `${kind.toLowerCase()}/${name}`,
    },
    {
      name: 'Count',
      type: 'integer',
      priority: 1,
      description: 'How often it happened.',
      value: (event) => event.series?.count ?? event.count ?? 1,
    },
    { name: 'Message', type: 'string', priority: 0, description: 'What happened.', value: (event) => event.message },
  ],
});
