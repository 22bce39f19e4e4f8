using System.Net;
using Xunit;

namespace ImapDirector.Storage.Tests;

/// <summary>Settings are checked before anything is opened.</summary>
public sealed class StorageNodeOptionsTests
{
    private const string Password = "0123456789abcdef";

    private static readonly StorageNodeOptions Good = new()
    {
        DataDirectory = "data",
        Imap = new IPEndPoint(IPAddress.Loopback, 1143),
        Lmtp = new IPEndPoint(IPAddress.Loopback, 1124),
        MasterPassword = Password,
    };

    public static TheoryData<string, Func<StorageNodeOptions, StorageNodeOptions>> Faults => new()
    {
        { "Name is \"Node 1\"", static options => options with { Name = "Node 1" } },
        { "DataDirectory is \" \"", static options => options with { DataDirectory = " " } },
        { "DataDirectory is \"", static options => options with { DataDirectory = typeof(StorageNode).Assembly.Location } },
        { "Lmtp is \"127.0.0.1:1143\"", static options => options with { Lmtp = options.Imap } },
        { "TrustedNetworks:0 is \"0.0.0.0/0\"", static options => options with { TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0")] } },
        { "MasterUser is \"\"", static options => options with { MasterUser = "" } },
        { "MasterPassword is too short", static options => options with { MasterPassword = Password[1..] } },
        { "MasterPassword is too short", static options => options with { MasterPassword = Password + "\0" } },
        { "AssertionKeys and MasterPassword are both unset", static options => options with { MasterPassword = null } },
        { "AssertionKeys is \"/nowhere\"", static options => options with { AssertionKeys = "/nowhere" } },
        { "ClockTolerance is 601s", static options => options with { ClockTolerance = TimeSpan.FromSeconds(601) } },
        { "MaxMessageBytes is 1023: give a number from 1024 to 2000000000.", static options => options with { MaxMessageBytes = 1023 } },
        { "MaxConnections is 0:", static options => options with { MaxConnections = 0 } },
        { "SubmitUser is \"a b\"", static options => options with { SubmitUser = "a b" } },
        { "SharedUser is \"a b\"", static options => options with { SharedUser = "a b" } },
        { "IdleTimeout is 1799s: give a time from 30m to 1d.", static options => options with { IdleTimeout = new TimeSpan(0, 29, 59) } },
        { "WriteTimeout is 0ms:", static options => options with { WriteTimeout = TimeSpan.Zero } },
        { "LoginTimeout is 3601s:", static options => options with { LoginTimeout = new TimeSpan(1, 0, 1) } },
        { "FailureDelay is -1s:", static options => options with { FailureDelay = TimeSpan.FromSeconds(-1) } },
    };

    [Fact]
    public void The_defaults_are_without_fault() => Assert.Empty(Good.Validate());

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named_with_its_key_its_value_and_the_fix_and_without_the_password(string expected, Func<StorageNodeOptions, StorageNodeOptions> change)
    {
        var error = Assert.Single(change(Good).Validate());
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Password[1..], error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_password_is_not_in_the_text_of_the_options() => Assert.DoesNotContain(Password, Good.ToString(), StringComparison.Ordinal);
}
