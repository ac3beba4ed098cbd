import { tellStory } from './support/story.ts';

tellStory('haproxy');
