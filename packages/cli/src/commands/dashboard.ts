import { type ApiFlags, type Context, withApi } from '../context.ts';

/** `weft dashboard`: a link to the first page, good for one login. */
export async function dashboard(context: Context, options: ApiFlags): Promise<void> {
  await withApi(context, options, async (api) => {
    context.terminal.out(`${(await api.pageLogin()).url}\n`);
  });
}
