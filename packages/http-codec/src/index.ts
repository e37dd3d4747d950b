export { type HeaderView, noHeaders } from './header-view.ts';
