using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

/// <summary>A director in front of real Cyrus.</summary>
public sealed class CyrusNodeTests
{
    [FactIfInstalled("redis-server", CyrusServer.Program, "saslpasswd2")]
    public async Task A_user_logs_in_as_themselves_by_proxy_authorization_and_works_there()
    {
        await using var cyrus = await CyrusServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(cyrus));
        await using var client = await director.ConnectAsync();

        var loggedIn = await client.AskAsync("a LOGIN Alice secret");
        Assert.Matches(@"^a OK \[CAPABILITY IMAP4rev1 .*\bIDLE\b.*\] Logged in\.$", loggedIn);
        // Cyrus says this of itself once somebody has logged in; to a client it would say that it cannot.
        Assert.DoesNotContain("LOGINDISABLED", loggedIn);
        await client.SendAsync("b APPEND INBOX {25+}\r\nSubject: test\r\n\r\nHello.\r\n\r\n");
        Assert.StartsWith("b OK ", (await client.ReadUntilAsync("b"))[^1]);
        Assert.StartsWith("c OK ", await client.AskAsync("c SELECT INBOX"));
        await client.SendAsync("d FETCH 1 BODY[TEXT]\r\n");
        Assert.Contains("Hello.", await client.ReadUntilAsync("d"));
        Assert.StartsWith("e OK ", await client.AskAsync("e CREATE Archive.2029"));
        await client.PlayAsync("C: f LOGOUT", "S: * BYE …", "S: f OK …", "END");
    }

    [FactIfInstalled("redis-server", CyrusServer.Program, "saslpasswd2")]
    public async Task Two_users_of_one_name_in_two_domains_are_two()
    {
        await using var cyrus = await CyrusServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(cyrus));
        await director.AddUserAsync("alice@example.net", RunningDirector.Password);

        await using var first = await director.LogInAsync("alice@example.com");
        Assert.StartsWith("b OK ", await first.AskAsync("b CREATE Only-hers"));
        await using var second = await director.LogInAsync("alice@example.net");
        await second.SendAsync("b LIST \"\" *\r\n");
        Assert.DoesNotContain(await second.ReadUntilAsync("b"), static line => line.Contains("Only-hers", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server", CyrusServer.Program, "saslpasswd2")]
    public async Task With_the_users_own_password_no_master_is_needed()
    {
        await using var cyrus = await CyrusServer.StartAsync(("alice@example.com", RunningDirector.Password));
        await using var director = await RunningDirector.StartAsync(NodeOf(cyrus) with { Login = NodeLogin.Password, MasterPassword = "" });
        await using var alice = await director.LogInAsync();
        Assert.StartsWith("b OK ", await alice.AskAsync("b SELECT INBOX"));

        // Bob's password is right here, and the node does not know him: that says nothing about his password.
        await using var bob = await director.ConnectAsync();
        Assert.StartsWith("a NO [UNAVAILABLE]", await bob.AskAsync($"a LOGIN bob {RunningDirector.Password}"));
    }

    internal static BackendNode NodeOf(CyrusServer cyrus) => new()
    {
        Name = "node1",
        Host = "127.0.0.1",
        ImapPort = cyrus.EndPoint.Port,
        LmtpPort = cyrus.LmtpEndPoint.Port,
        MasterUser = CyrusServer.MasterUser,
        MasterPassword = CyrusServer.MasterPassword,
    };
}
