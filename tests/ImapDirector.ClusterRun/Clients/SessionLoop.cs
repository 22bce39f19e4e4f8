using System.Net.Sockets;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Clients;

/// <summary>A client that logs in as one user after another, works, waits in IDLE, and leaves with or without a word.</summary>
/// <param name="cluster">Where.</param>
/// <param name="journal">What it saw.</param>
/// <param name="users">Whom it logs in as.</param>
/// <param name="name">What its messages are called.</param>
/// <param name="seed">What is random follows it.</param>
/// <param name="director">The director that it goes to; <c>null</c> for all of them.</param>
internal sealed class SessionLoop(TestCluster cluster, Journal journal, IReadOnlyList<string> users, string name, int seed, int? director = null)
{
    /// <summary>How long a client waits: much longer than directors allow.</summary>
    public static readonly TimeSpan LoginLimit = TestCluster.LoginTimeout + TimeSpan.FromSeconds(20);

    private readonly Random _random = new(seed);
    private int _sent;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await OneSessionAsync(users[_random.Next(users.Count)], director ?? _random.Next(cluster.Directors.Count), stop);
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
            {
                // The fault of the hour; what was answered before is in the journal.
            }
            await Task.Delay(_random.Next(5, 60), CancellationToken.None);
        }
    }

    /// <summary>Logs in.</summary>
    /// <returns><c>null</c> when it did not succeed; the journal says why.</returns>
    public static async Task<(MailClient Client, LoginRecord Login)?> LogInAsync(TestCluster cluster, Journal journal, string user, int director)
    {
        var (from, address) = (DateTime.UtcNow, cluster.Network.NextClient());
        var (outcome, text, client) = (LoginOutcome.Hung, "", (MailClient?)null);
        try
        {
            client = await MailClient.ConnectAsync(cluster.EndPointOf(director, TestCluster.Imap), address, LoginLimit);
            await client.ReadAnswerAsync(null);
            text = (await client.AskAsync($"LOGIN {user} \"{TestCluster.Password}\"")).Text;
            outcome = text.StartsWith("OK", StringComparison.Ordinal) ? LoginOutcome.Ok
                : text.StartsWith("NO [UNAVAILABLE]", StringComparison.Ordinal) ? LoginOutcome.Unavailable : LoginOutcome.Refused;
        }
        catch (SocketException refused) when (client is null)
        {
            (outcome, text) = (LoginOutcome.NotConnected, refused.Message);
        }
        catch (Exception gone) when (gone is IOException or SocketException)
        {
            (outcome, text) = (LoginOutcome.Closed, gone.Message);
        }
        catch (OperationCanceledException)
        {
            // Nothing came: it hung.
        }
        var login = new LoginRecord(user, cluster.Directors[director].Name, address, from, DateTime.UtcNow, outcome, text);
        journal.Logins.Add(login);
        if (outcome == LoginOutcome.Ok) return (client!, login);
        if (client is not null) await client.DisposeAsync();
        return null;
    }

    private async Task OneSessionAsync(string user, int at, CancellationToken stop)
    {
        if (await LogInAsync(cluster, journal, user, at) is not { } open) return;
        var (last, software) = (open.Login.To, "");
        await using var client = open.Client;
        try
        {
            software = SoftwareOf(await AskAsync("ID NIL"));
            if (!(await AskAsync("SELECT INBOX")).IsOk) return;
            for (var steps = _random.Next(1, 12); steps > 0 && !stop.IsCancellationRequested; steps--)
            {
                switch (_random.Next(6))
                {
                    case 0:
                        await IdleAsync(client, stop);
                        break;
                    case < 4:
                        await AppendAsync(client, user);
                        break;
                    default:
                        await AskAsync("UID FETCH * (FLAGS)");
                        break;
                }
                await Task.Delay(_random.Next(1, 40), CancellationToken.None);
            }
            if (_random.Next(2) == 0) await AskAsync("LOGOUT");
        }
        finally
        {
            journal.Sessions.Add(new SessionRecord(user, open.Login.Client, open.Login.To, last, software));
        }

        async Task<Answer> AskAsync(string command)
        {
            var asked = DateTime.UtcNow;
            var answer = await client.AskAsync(command);
            if (answer.IsOk) last = asked;
            return answer;
        }
    }

    private async Task IdleAsync(MailClient client, CancellationToken stop)
    {
        var tag = await client.SendAsync("IDLE");
        await Task.Delay(_random.Next(20, 2000), stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await client.SendRawAsync("DONE\r\n");
        await client.ReadAnswerAsync(tag);
    }

    private async Task AppendAsync(MailClient client, string user)
    {
        var id = $"{name}-{++_sent}@append.example.net";
        var message = TestMessage.Create(user, id, _random);
        var (from, reply, isAcknowledged) = (DateTime.UtcNow, "no answer", false);
        try
        {
            var tag = await client.SendAsync($"APPEND INBOX {{{message.Length}}}");
            var goOn = await client.ReadAnswerAsync(null);
            while (goOn.Lines[0].StartsWith('*')) goOn = await client.ReadAnswerAsync(null);
            if (!goOn.Lines[0].StartsWith('+'))
            {
                reply = goOn.Lines[0];
                return;
            }
            await client.SendRawAsync(message + "\r\n");
            var answer = await client.ReadAnswerAsync(tag);
            (reply, isAcknowledged) = (answer.Text, answer.IsOk);
        }
        finally
        {
            journal.Messages.Add(new MessageRecord(user, id, false, from, DateTime.UtcNow, reply, isAcknowledged));
        }
    }

    private static string SoftwareOf(Answer identity)
    {
        var line = identity.Lines.FirstOrDefault(static line => line.StartsWith("* ID (", StringComparison.OrdinalIgnoreCase)) ?? "";
        return line.Contains("Dovecot", StringComparison.OrdinalIgnoreCase) ? "dovecot" : line.Contains("Cyrus", StringComparison.OrdinalIgnoreCase) ? "cyrus" : "";
    }
}
