using System.CommandLine;
using ImapDirector.Configuration;
using ImapDirector.Protocol;
using ImapDirector.Storage;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector store …</c>: the users' stores in a node's data directory. Findings are lines on standard output: the user, the kind, what, and
/// how to mend it, with a tab between.</summary>
internal static class StoreCommand
{
    private static readonly Option<string?> Data = new("--data") { Description = "A node's data directory. A stand-alone server has one for each of its nodes: data/node1 and data/node2.", HelpName = "DIR", Recursive = true };
    private static readonly Option<string?> Config = new("--config", "-c") { Description = "A node's configuration, for its DataDirectory.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> User = new("--user") { Description = "One user.", HelpName = "NAME@DOMAIN" };
    private static readonly Option<bool> All = new("--all") { Description = "All users." };
    private static readonly Option<bool> RemoveLost = new("--remove-lost") { Description = "Remove messages of which the content is gone." };
    private static readonly Option<bool> Renew = new("--renew-uidvalidity") { Description = "Give all mailboxes a new UIDVALIDITY, once they are mended: clients load them anew. For after a restore." };
    private static readonly Option<bool> Copy = new("--copy") { Description = "Copy large messages, also where a second name of the same file would do." };
    private static readonly Option<string> To = new("--to") { Description = "Where it goes: a directory that is empty or does not exist.", HelpName = "DIR", Required = true };
    private static readonly Option<string> From = new("--from") { Description = "A Maildir, or a directory with .mbox files. Nothing should write to it meanwhile.", HelpName = "DIR", Required = true };
    private static readonly Option<bool> KeepUids = new("--keep-uids") { Description = "Write, or read, a Maildir's dovecot-uidlist, so that clients need not load everything anew. An import keeps the UIDs of mailboxes that never had a message here." };

    // Kept as text, so that the one spelling is the one in the help.
    private static readonly Option<string> Format = FormatOption();

    public static Command Create()
    {
        var command = new Command("store", "Check, mend, back up, export and import the mail of a node, as the user who runs the node.") { Data, Config };
        command.Add(With("check", "Check users' mail and change nothing. The node may run.", [User, All], CheckAsync));
        command.Add(With("repair", "Mend what \"check\" finds. The node must not run.", [User, All, RemoveLost, Renew], RepairAsync));
        command.Add(With("vacuum", "Give the room back that removed messages took. The node must not run.", [User, All], VacuumAsync));
        command.Add(With("backup", "Copy users' mail to another data directory. The node may run.", [User, All, To, Copy], BackupAsync));
        command.Add(With("export", "Write users' mail as Maildir or mbox. The node may run.", [User, All, To, Format, KeepUids], ExportAsync));
        command.Add(With("import", "Add mail from a Maildir or from mbox files to a user, who need not exist; a second run adds it a second time. The node must not run.",
            [User, From, Format, KeepUids], ImportAsync));
        return command;
    }

    private static Option<string> FormatOption()
    {
        var option = new Option<string>("--format") { Description = "How the mail is written.", Required = true };
        option.AcceptOnlyFromAmong("maildir", "mbox");
        return option;
    }

    private static Command With(string name, string description, Option[] options, Func<StoreRun, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var option in options) command.Add(option);
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                return await run(new StoreRun(result, StoreDirectory.Open(DirectoryOf(result)), cancellationToken));
            }
            catch (Exception missing) when (missing is DirectoryNotFoundException)
            {
                throw new ConfigurationException(missing.Message);
            }
            catch (StoreRefusal refusal)
            {
                return await TellAsync(result, refusal.Message, refusal.ExitCode);
            }
            catch (InvalidDataException nothing)
            {
                return await TellAsync(result, nothing.Message, ExitCode.BadData);
            }
            catch (StoreDirectoryInUseException held)
            {
                return await TellAsync(result, held.Message, ExitCode.InUse);
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                return await TellAsync(result, $"A file or a directory cannot be used: {refused.Message}", ExitCode.InputOutput);
            }
        });
        return command;
    }

    private static async Task<int> TellAsync(ParseResult result, string text, int code)
    {
        await result.InvocationConfiguration.Error.WriteLineAsync($"imapdirector: {text}");
        return code;
    }

    private static string DirectoryOf(ParseResult result) => (result.GetValue(Data), result.GetValue(Config)) switch
    {
        ({ } data, null) => data,
        (null, { } config) => NodeSettings.ReadDataDirectoryOnly(SettingsSource.Load(config, [])),
        (null, null) => throw new ConfigurationException("--data and --config are both missing: name a node's data directory, or its configuration."),
        _ => throw new ConfigurationException("--data and --config are both given: leave one of them out."),
    };

    private static async Task<int> CheckAsync(StoreRun run)
    {
        foreach (var user in run.Users(User, All)) await run.TellAsync(user, run.Directory.Check(user, run, run.Cancellation));
        return await run.EndAsync("checked");
    }

    private static async Task<int> RepairAsync(StoreRun run)
    {
        var users = run.Users(User, All);
        using var taken = run.Directory.Take();
        foreach (var user in users)
        {
            var findings = await taken.RepairAsync(user, run.Value(RemoveLost), run, run.Cancellation);
            if (run.Value(Renew) && findings.All(static finding => finding.Kind != StoreFindingKind.Database || finding.IsMended)) await taken.RenewUidValidityAsync(user, run.Cancellation);
            await run.TellAsync(user, findings);
        }
        return await run.EndAsync("repaired");
    }

    private static async Task<int> VacuumAsync(StoreRun run)
    {
        var users = run.Users(User, All);
        using var taken = run.Directory.Take();
        var freed = 0L;
        foreach (var user in users)
        {
            var (bytes, findings) = taken.Vacuum(user, run, run.Cancellation);
            freed += bytes;
            await run.TellAsync(user, findings);
        }
        return await run.EndAsync(FormattableString.Invariant($"vacuumed, {Math.Max(freed, 0)} bytes freed"));
    }

    private static async Task<int> BackupAsync(StoreRun run)
    {
        var users = run.Users(User, All);
        var target = run.EmptyTarget(To);
        foreach (var user in users) await run.TellAsync(user, run.Directory.Backup(user, target, mayLink: !run.Value(Copy), run, run.Cancellation));
        return await run.EndAsync("backed up");
    }

    private static async Task<int> ExportAsync(StoreRun run)
    {
        var (users, format) = (run.Users(User, All), FormatOf(run));
        var (root, mailboxes, messages) = (run.EmptyTarget(To), 0, 0);
        foreach (var user in users)
        {
            var target = run.Value(All) ? Path.Combine(root, user.Value) : root;
            var exported = run.Directory.Export(user, target, format, run.Value(KeepUids), run, run.Cancellation);
            (mailboxes, messages) = (mailboxes + exported.Mailboxes, messages + exported.Messages);
            await run.TellAsync(user, exported.Findings);
        }
        return await run.EndAsync($"exported, {StoreRun.Number(mailboxes, "mailbox")} with {StoreRun.Number(messages, "message")}");
    }

    private static async Task<int> ImportAsync(StoreRun run)
    {
        if (run.Value(User) is not { } name) throw new StoreRefusal(ExitCode.Usage, "Whom this is for is missing: give --user NAME@DOMAIN.");
        var (user, format) = (run.OneUser(name, mustExist: false), FormatOf(run));
        using var taken = run.Directory.Take();
        var imported = await taken.ImportAsync(user, run.Value(From)!, format, run.Value(KeepUids), run, run.Cancellation);
        await run.TellAsync(user, imported.Findings);
        return await run.EndAsync($"imported, {StoreRun.Number(imported.Mailboxes, "mailbox")} with {StoreRun.Number(imported.Messages, "message")}");
    }

    private static MailFormat FormatOf(StoreRun run)
    {
        if (run.Value(Format) == "maildir") return MailFormat.Maildir;
        return run.Value(KeepUids) ? throw new StoreRefusal(ExitCode.Usage, "--keep-uids is for --format maildir: an mbox has no UIDs.") : MailFormat.Mbox;
    }
}
