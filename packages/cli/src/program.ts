import { Command, InvalidArgumentError, Option } from 'commander';
import { type ApplyOptions, apply, type DeleteOptions } from './commands/apply.ts';
import { type CheckOptions, check } from './commands/check.ts';
import { completion } from './commands/completion.ts';
import { type ConfigDumpOptions, configDump, dumpTypes } from './commands/config-dump.ts';
import { dashboard } from './commands/dashboard.ts';
import { deleteObjects } from './commands/delete.ts';
import { type DemoOptions, demo } from './commands/demo.ts';
import { type DiffOptions, diff } from './commands/diff.ts';
import { down } from './commands/down.ts';
import { type ExplainOptions, explainName, explainRequest } from './commands/explain.ts';
import { type GatewayOptions, gateway } from './commands/gateway.ts';
import { type GetOptions, get } from './commands/get.ts';
import { type RunOptions, run } from './commands/run.ts';
import { type StatusOptions, status } from './commands/status.ts';
import { type UpOptions, up } from './commands/up.ts';
import { type ValidateOptions, validate } from './commands/validate.ts';
import { type VersionOptions, version } from './commands/version.ts';
import type { ApiFlags, Context } from './context.ts';
import { exitCodeHelp } from './exit-code.ts';

const outputFlag = '-o, --output <format>';
const fileFlag = '-f, --filename <path>';
const fileHelp = 'file, folder, or - for standard input; can be given more than once';
const unixSocketFlag = '--unix-socket <path>';
const unixSocketHelp =
  'Unix socket that `bind` of a Gateway or Sidecar may have the proxy open: Envoy opens no others; can be given more than once';

/** The command line of `weft`. */
export function createProgram(context: Context): Command {
  const program = new Command('weft')
    .description(
      'A service mesh that starts with one command: discovers, connects, secures and observes the traffic between services.',
    )
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(see weft --help)')
    .configureOutput({ writeOut: context.terminal.out, writeErr: context.terminal.err })
    .addHelpText('after', `\n${environmentHelp}\n\n${exitCodeHelp}\n`)
    .enablePositionalOptions()
    .exitOverride();

  withPorts(program.command('up'))
    .summary('start the control plane')
    .description(
      'Starts the control plane in the background and waits until it answers. Does nothing when it runs already.',
    )
    .option('--foreground', 'stay, and stop it at Ctrl-C')
    .option(outputFlag, 'json or yaml')
    .action((options: UpOptions) => up(context, options));

  program
    .command('down')
    .summary('stop the control plane, and the demo if it runs')
    .description(
      'Stops what runs on this state folder, in order: the demo if there is one, then the control plane. Workloads of other `weft run` commands go on with the configuration they have.',
    )
    .action(() => down(context));

  withPorts(program.command('demo'))
    .summary('start a mesh with the bookshop, until Ctrl-C')
    .description(
      'Starts the control plane and the bookshop (real processes, each with its own sidecar and some gentle load), shows a live table, and stops everything at Ctrl-C. This is what `npm start` runs.',
    )
    .option('--envoy <names>', 'services or workloads that get Envoy as their sidecar, for example reviews,ratings')
    .option('--engine-mix <mix>', 'half: every second sidecar is Envoy; all: every one')
    .option('--shop-port <port>', 'where the shop is reached, 0 for a free port (default: 8080)', parseIntOption)
    .action((options: DemoOptions) => demo(context, options));

  withApiFlags(program.command('run'))
    .summary('run a command as a service of the mesh')
    .description(
      'Registers the workload, starts its sidecar, then the command, and takes both out of the mesh again in order. The command reaches every HTTP service of the mesh by name through http_proxy, and each --upstream at the address in WEFT_UPSTREAM_<NAME>.',
    )
    .usage('--service NAME [options] -- COMMAND [ARGUMENTS]')
    .argument('[command...]', 'the command and its arguments, after two dashes')
    .passThroughOptions()
    .option('--service <name>', 'service that the command is; it is made if it does not exist')
    .option('--name <name>', 'name of this workload (default: service, version and a random ending)')
    .option('--version <version>', 'version, for subsets of a DestinationRule')
    .option('--workload-group <name>', 'WorkloadGroup with labels, locality and health check of the workload')
    .option('-n, --namespace <namespace>', 'namespace (default: that of the kubeconfig)')
    .option('--service-account <name>', 'identity of the workload (default: the name of the service)')
    .option(
      '--port <[service:]port>',
      'port that the command listens on; left out or 0: a free one, told to it in PORT; unix:/PATH: a Unix socket',
    )
    .option(
      '--protocol <protocol>',
      'http, http2, grpc, grpc-web, tcp or auto (default: as the service says, else http)',
    )
    .option(
      '--upstream <name[:port][=local]>',
      'service that the command calls, with a local port of its own; can be given more than once',
      collect,
    )
    .option(
      '--engine <engine>',
      'sidecar: weft or envoy (default: weft); grpc: none, the gRPC library of the command is configured',
    )
    .option(unixSocketFlag, unixSocketHelp, collect)
    .option('-q, --quiet', 'print nothing but what the command prints')
    .addHelpText('after', runExamples)
    .action((command: string[], options: RunOptions) => run(context, command, options));

  withApiFlags(program.command('gateway'))
    .summary('run a proxy at the edge of the mesh')
    .description(
      'Runs a proxy that opens what the Gateway of this name asks for (Gateway API), and whatever Gateways of Istio choose it by its labels, until it is interrupted. More of them may serve one Gateway.',
    )
    .argument('<name>', 'name of the Gateway')
    .option('-n, --namespace <namespace>', 'namespace of the Gateway (default: that of the kubeconfig)')
    .option('--address <ip>', 'address to listen on (default: 127.0.0.1, which only this machine reaches)')
    .option(
      '--port <port=listenport>',
      'listen on another port than the Gateway says, such as 80=8080; can be given more than once',
      collect,
    )
    .option('-l, --label <key=value>', 'label for selectors of Istio Gateways; can be given more than once', collect)
    .option('--service-account <name>', 'identity of the gateway (default: its name)')
    .option('--engine <engine>', 'weft or envoy (default: weft)')
    .option(unixSocketFlag, unixSocketHelp, collect)
    .option('-q, --quiet', 'print nothing')
    .action((name: string, options: GatewayOptions) => gateway(context, name, options));

  withNamespace(withApiFlags(program.command('apply')))
    .summary('create or change objects from files')
    .description('Applies every object by server-side apply. One that is refused does not stop the others.')
    .option(fileFlag, fileHelp, collect)
    .option('--force', 'take over fields that another manager owns')
    .option('--dry-run', 'store nothing, but check everything on the server')
    .option(outputFlag, 'json, yaml or name')
    .action((options: ApplyOptions) => apply(context, options));

  const explain = withNamespace(withApiFlags(program.command('explain')))
    .summary('say what is in force for a service, a workload or a request, and why')
    .description(
      'Prints the effective values of a service or of the proxy of a workload (protocols, mutual TLS, balancing, limits, timeouts, retries, routes, endpoints), each with the resource and field that it comes from, or the default; then what loses, and what is not acted upon.',
    )
    .argument('[name]', 'reviews, reviews.shop, shop/reviews; service/reviews or workload/reviews-v1 where both exist')
    .option('--from <workload>', 'as this workload has it (default: any of the namespace of the service)')
    .option(outputFlag, 'json or yaml')
    .enablePositionalOptions()
    .action((name: string | undefined, options: ExplainOptions) => explainName(context, name, options));
  withNamespace(withApiFlags(explain.command('request')))
    .summary('walk one request through the configuration of a proxy')
    .description(
      'Shows which listener, host, rule and destination a request of a workload meets, what each rule before it wanted instead, and the resources that this comes from. Nothing is sent.',
    )
    .argument('<method>', 'GET, POST, …')
    .argument('<url>', 'as the workload writes it: http://reviews:9080/, or reviews:9080')
    .requiredOption('--from <workload>', 'workload that sends it, as storefront, storefront-1 or shop/storefront-1')
    .option('-H, --header <name: value>', 'header of the request; can be given more than once', collect)
    .option(outputFlag, 'json or yaml')
    .action((method: string, url: string, options: ExplainOptions) => explainRequest(context, method, url, options));

  withNamespace(withApiFlags(program.command('get')))
    .summary('show objects')
    .description('Shows objects of one or more kinds, as KIND [NAME…], KIND,KIND or KIND/NAME….')
    .argument('<kind-or-object...>', 'for example: virtualservices, vs reviews, proxy/reviews-v1')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <selector>', 'by labels, for example app=reviews')
    .option(outputFlag, 'wide, json, yaml or name')
    .action((words: string[], options: GetOptions) => get(context, words, options));

  withNamespace(withApiFlags(program.command('delete')))
    .summary('delete objects')
    .description('Deletes objects by name (KIND NAME…, KIND/NAME…) or everything that files hold.')
    .argument('[kind-or-object...]', 'for example: virtualservice reviews')
    .option(fileFlag, fileHelp, collect)
    .option('--ignore-not-found', 'what does not exist is no failure')
    .action((words: string[], options: DeleteOptions) => deleteObjects(context, words, options));

  withNamespace(withApiFlags(program.command('diff')))
    .summary('show what apply would change')
    .description(
      'Shows what `weft apply` would change, as the server computes it. Ends with 1 when there is a difference.',
    )
    .option(fileFlag, fileHelp, collect)
    .action((options: DiffOptions) => diff(context, options));

  program
    .command('validate')
    .summary('check files without a control plane')
    .description(
      'Checks files and folders offline: every mistake at once, with line and column, and warnings of what is hardly meant when all files stand together: rules that are never reached, hosts, subsets, gateways and backends that are in none of them, two objects for the same. Ends with 2 when there is a mistake.',
    )
    .argument('[path...]', 'files, folders, or - for standard input')
    .option(fileFlag, 'the same, as for apply and diff', collect)
    .option('-n, --namespace <namespace>', 'namespace of objects that name none (default: default)')
    .option('--strict', 'warnings are mistakes')
    .option(outputFlag, 'json or yaml')
    .action((paths: string[], options: ValidateOptions) => validate(context, paths, options));

  withApiFlags(program.command('status'))
    .summary('show services and proxies')
    .description(
      'Shows the services with their traffic, and each proxy with its identity, engine, version, the state of its configuration by type, and what it last refused.',
    )
    .option('-n, --namespace <namespace>', 'only this namespace')
    .option('--window <seconds>', 'rates over this time (default: 30)', parseIntOption)
    .option(outputFlag, 'wide, json or yaml')
    .action((options: StatusOptions) => status(context, options));

  const config = program
    .command('config')
    .summary('look into the configuration of a proxy')
    .description('Looks into the configuration of a proxy.');
  withNamespace(withApiFlags(config.command('dump')))
    .summary('show what a proxy was given')
    .description(
      'Shows the xDS resources that the control plane wants a proxy to have. Private keys are never part of it.',
    )
    .argument('<workload>', 'NAME or NAMESPACE/NAME of the proxy, or the beginning of its name')
    .option('--type <type>', `only one type: ${Object.keys(dumpTypes).join(', ')}`)
    .option(outputFlag, 'json or yaml (default: yaml)')
    .action((workload: string, options: ConfigDumpOptions) => configDump(context, workload, options));

  withApiFlags(program.command('check'))
    .summary('find what is wrong with an installation')
    .description(
      'Looks at programs, ports, rights, disk, clock, certificates, proxies and resources, and says how to mend what is wrong. Ends with 1 when something is.',
    )
    .option(outputFlag, 'json or yaml')
    .action((options: CheckOptions) => check(context, options));

  withApiFlags(program.command('version'))
    .summary('show the versions of the CLI and the control plane')
    .option(outputFlag, 'json or yaml')
    .action((options: VersionOptions) => version(context, options));

  withApiFlags(program.command('dashboard'))
    .summary('print a link to the first page')
    .description('Prints a link to the first page of the running mesh, good for one login.')
    .action((options: ApiFlags) => dashboard(context, options));

  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a completion script. For bash: source <(weft completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) => completion(context, program, shell));

  return program;
}

const environmentHelp = `Environment:
  WEFT_HOME    state folder of the mesh (default: ~/.weft)
  KUBECONFIG   kubeconfig, where the state folder has none; --kubeconfig comes first
  WEFT_ENVOY   Envoy program for --engine envoy (default: envoy in PATH)
  NO_COLOR     no colours, whatever its value`;

const runExamples = `
Examples:
  weft run --service hello -- node server.js                listens on PORT
  weft run --service hello --version v2 --port 8080 -- ./hello
  weft run --service cache --protocol tcp --port 7000:0 -- ./cache
  weft run --name client --upstream cache:7000 -- sh -c 'nc \${WEFT_UPSTREAM_CACHE%:*} \${WEFT_UPSTREAM_CACHE#*:}'
`;

function withApiFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (default: that of WEFT_HOME, then KUBECONFIG)')
    .option('--context <name>', 'context of the kubeconfig');
}

function withNamespace(command: Command): Command {
  return command.option('-n, --namespace <namespace>', 'namespace (default: that of the kubeconfig)');
}

function withPorts(command: Command): Command {
  return command
    .option('--api-port <port>', 'resource API (default: 7443)', parseIntOption)
    .option('--xds-port <port>', 'xDS (default: 7012)', parseIntOption)
    .option('--join-port <port>', 'first certificates (default: 7011)', parseIntOption)
    .option('--page-port <port>', 'first page (default: 7080)', parseIntOption)
    .option('--trust-domain <name>', 'trust domain of the identities (default: cluster.local)')
    .addOption(
      new Option(
        '--defaults <whose>',
        'what is in force where no resource says anything: istio or envoy (default: as before, at first istio)',
      ).choices(['istio', 'envoy']),
    )
    .addOption(
      new Option(
        '--path-normalization <mode>',
        'what becomes of paths before routes see them (default: as before, at first base)',
      ).choices(['none', 'base', 'merge-slashes', 'decode-and-merge-slashes']),
    )
    .option('--certificate-ttl <duration>', 'life of workload certificates, such as 24h or 90s (default: 24h)');
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function parseIntOption(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('a whole number is needed.');
  }
  return value;
}
