using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>Who waits for a connection to the directory.</summary>
public sealed class LdapQueueTests
{
    [Fact]
    public async Task Who_has_waited_longest_is_next_whoever_comes_meanwhile()
    {
        await using var directory = new SlowDirectory();
        await using var database = new LdapDatabase(new LdapDatabaseOptions { Url = directory.Url, UserDn = "uid={local}", MaxConnections = 1, Timeout = TimeSpan.FromSeconds(30) }, NullLogger<LdapDatabase>.Instance);
        var asked = new Queue<Task<DatabaseAnswer>>();
        for (var number = 0; number < 3; number++) asked.Enqueue(AskAsync(database, number));
        for (var number = 0; number < 40; number++)
        {
            Assert.Equal($"uid=user{number}", await directory.AskedAsync());
            directory.Answer();
            Assert.Equal(DatabaseAnswerKind.RightPassword, (await asked.Dequeue()).Kind);
            // There are two who wait already.
            asked.Enqueue(AskAsync(database, number + 3));
        }
        for (; asked.Count > 0; _ = await asked.Dequeue())
        {
            await directory.AskedAsync();
            directory.Answer();
        }
    }

    private static Task<DatabaseAnswer> AskAsync(LdapDatabase database, int number) => database.AskAsync(
        new DatabaseQuestion(UserName.TryCreate($"user{number}@example.com", null, out var user) ? user : throw new InvalidOperationException(), "secret"u8.ToArray(), IPAddress.Loopback), CancellationToken.None).AsTask();
}
