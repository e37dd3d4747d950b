import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { choice, int32, object, text, time } from '../../schema/fields.ts';
import { objectReference } from '../../schema/object-reference.ts';

function eventSchema() {
  return object('An event.', {
    eventTime: time('When it happened, to the microsecond.'),
    series: object(
      'That it goes on happening.',
      { count: int32('How often so far.'), lastObservedTime: time('When last.') },
      ['count', 'lastObservedTime'],
    ),
    reportingController: text('Name of the controller that reports it.', { max: 128 }),
    reportingInstance: text('Which instance of it.', { max: 128 }),
    action: text('What was done or failed.', { max: 128 }),
    reason: text('Why, as one CamelCase word.', { max: 128 }),
    regarding: objectReference('The object that the event is about.'),
    related: objectReference('A further object that has to do with it.'),
    note: text('What happened, as a sentence.', { max: 1024 }),
    type: choice('Whether something is wrong.', ['Normal', 'Warning']),
    deprecatedSource: object('Who reports it, as older versions wrote it.', {
      component: text('Name of the component.'),
      host: text('Where it runs.'),
    }),
    deprecatedFirstTimestamp: time('When it happened first, as older versions wrote it.'),
    deprecatedLastTimestamp: time('When it happened last, as older versions wrote it.'),
    deprecatedCount: int32('How often it happened, as older versions wrote it.'),
  });
}

/** Something that happened to an object, as `events.k8s.io/v1` writes it. */
export type RecordedEvent = ObjectOf<typeof eventSchema>;

export const recordedEventKind = declareKind<RecordedEvent>({
  group: 'events.k8s.io',
  versions: ['v1'],
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'Something that happened to an object, with the controller that reports it.',
  schema: eventSchema,
  columns: [
    {
      name: 'Last Seen',
      type: 'date',
      priority: 0,
      description: 'When it happened last.',
      value: (event) =>
        event.series?.lastObservedTime ??
        event.deprecatedLastTimestamp ??
        event.eventTime ??
        event.metadata.creationTimestamp,
    },
    { name: 'Type', type: 'string', priority: 0, description: 'Normal or Warning.', value: (event) => event.type },
    { name: 'Reason', type: 'string', priority: 0, description: 'Why.', value: (event) => event.reason },
    {
      name: 'Object',
      type: 'string',
      priority: 0,
      description: 'The object that it is about.',
      value: ({ regarding }) => regarding && `${(regarding.kind ?? '').toLowerCase()}/${regarding.name ?? ''}`,
    },
    { name: 'Note', type: 'string', priority: 0, description: 'What happened.', value: (event) => event.note },
  ],
});
