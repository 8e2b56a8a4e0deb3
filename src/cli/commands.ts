import { accountsCommand } from "./accounts.ts";
import { approveCommand } from "./approve.ts";
import { backupCommand } from "./backup.ts";
import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { configCommand } from "./config.ts";
import { explainCommand } from "./explain.ts";
import { exportCommand } from "./export.ts";
import { forgetCommand } from "./forget.ts";
import { groupsCommand } from "./groups.ts";
import { healthCommand } from "./health.ts";
import { historyCommand } from "./history.ts";
import { initCommand } from "./init.ts";
import { planCommand } from "./plan.ts";
import { rejectCommand } from "./reject.ts";
import { restoreCommand } from "./restore.ts";
import { revertCommand } from "./revert.ts";
import { runCommand } from "./run.ts";
import { runsCommand } from "./runs.ts";
import { statusCommand } from "./status.ts";
import { syncCommand } from "./sync.ts";
import { tokenCommand } from "./token.ts";
import { unpinCommand } from "./unpin.ts";
import { verifyCommand } from "./verify.ts";
import { whatIfCommand } from "./whatif.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
	initCommand,
	checkCommand,
	runCommand,
	syncCommand,
	planCommand,
	whatIfCommand,
	approveCommand,
	rejectCommand,
	statusCommand,
	healthCommand,
	runsCommand,
	accountsCommand,
	groupsCommand,
	explainCommand,
	historyCommand,
	revertCommand,
	unpinCommand,
	forgetCommand,
	exportCommand,
	backupCommand,
	restoreCommand,
	tokenCommand,
	verifyCommand,
	configCommand,
];
