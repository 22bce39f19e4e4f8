using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>METADATA (RFC 5464) and LIST-METADATA (RFC 9590).</summary>
public sealed class MetadataTests
{
    [Fact]
    public Task Each_entry_is_told_once_however_often_it_is_asked_for() => ImapScript.RunAsync("""
        C: a SETMETADATA INBOX (/private/a/b/c "1" /private/a/b "2")
        S: a OK ~
        C: b GETMETADATA (DEPTH infinity) INBOX (/private/a /private/a/b /private/a/b/c /private/a)
        S: * METADATA INBOX (/private/a/b "2" /private/a/b/c "1")
        S: b OK ~
        C: c GETMETADATA INBOX (/private/x /private/a/b /private/x)
        S: * METADATA INBOX (/private/x NIL /private/a/b "2")
        S: c OK ~
        """);

    [Fact]
    public Task All_that_is_private_or_shared_can_be_asked_for_and_is_no_entry() => ImapScript.RunAsync("""
        C: a SETMETADATA INBOX (/private/a "1" /private/a/b "2" /shared/c "3")
        S: a OK ~
        C: b GETMETADATA (DEPTH infinity) INBOX (/private)
        S: * METADATA INBOX (/private/a "1" /private/a/b "2")
        S: b OK ~
        C: c GETMETADATA (DEPTH 1) INBOX /private
        S: * METADATA INBOX (/private/a "1")
        S: c OK ~
        C: d GETMETADATA (DEPTH 1) INBOX /shared
        S: * METADATA INBOX (/shared/c "3")
        S: d OK ~
        C: e GETMETADATA INBOX /shared
        S: * METADATA INBOX (/shared NIL)
        S: e OK ~
        C: f SETMETADATA INBOX (/private "1")
        S: f BAD ~
        C: g GETMETADATA INBOX /privateer
        S: g BAD ~
        """);

    [Fact]
    public Task Entries_are_set_got_and_removed() => ImapScript.RunAsync("""
        C: a SETMETADATA INBOX (/private/comment "mine" /shared/Vendor/x/color "#ff0000" /shared/vendor/x/deep/er {3+}
        C: abc)
        S: a OK ~
        C: b GETMETADATA INBOX /private/comment
        S: * METADATA INBOX (/private/comment "mine")
        S: b OK ~
        C: c GETMETADATA (DEPTH 1) INBOX (/shared/vendor/x)
        S: * METADATA INBOX (/shared/vendor/x/color "#ff0000")
        S: c OK ~
        C: d GETMETADATA INBOX (DEPTH infinity MAXSIZE 4) (/shared/vendor)
        S: * METADATA INBOX (/shared/vendor/x/deep/er "abc")
        S: d OK [METADATA LONGENTRIES 7] ~
        C: e SETMETADATA INBOX (/private/comment NIL)
        S: e OK ~
        C: f GETMETADATA INBOX (/private/comment)
        S: * METADATA INBOX (/private/comment NIL)
        S: f OK ~
        C: g SETMETADATA "" (/private/comment "whole")
        S: g OK ~
        C: h GETMETADATA "" /private/comment
        S: * METADATA "" (/private/comment "whole")
        S: h OK ~
        C: i GETMETADATA nowhere /private/comment
        S: i NO [NONEXISTENT] ~
        C: j LIST "" INBOX RETURN (METADATA (/shared/vendor/x/color))
        S: * LIST (\HasNoChildren) "/" INBOX
        S: * METADATA INBOX (/shared/vendor/x/color "#ff0000")
        S: j OK ~
        C: k CREATE a
        S: k OK ~
        C: l SETMETADATA a (/private/comment "x")
        S: l OK ~
        C: m RENAME a b
        S: m OK ~
        C: n GETMETADATA b /private/comment
        S: * METADATA b (/private/comment "x")
        S: n OK ~
        """);

    [Theory]
    [InlineData("GETMETADATA INBOX comment")]
    [InlineData("GETMETADATA INBOX /private/")]
    [InlineData("GETMETADATA INBOX /private//x")]
    [InlineData("GETMETADATA INBOX /private/*")]
    [InlineData("GETMETADATA (DEPTH 7) INBOX /private/x")]
    [InlineData("SETMETADATA INBOX ()")]
    [InlineData("SETMETADATA INBOX (/private/x)")]
    public async Task Names_that_are_none_are_BAD(string command)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        Assert.StartsWith("BAD ", (await client.CommandAsync(command))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_a_limit_on_values_and_on_entries()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        Assert.StartsWith("NO [METADATA MAXSIZE 65536]", (await client.CommandAsync("SETMETADATA INBOX (/private/x {65537+}\r\n" + new string('x', 65537) + ")"))[^1], StringComparison.Ordinal);
        for (var i = 0; i < 2; i++)
            await client.OkAsync("SETMETADATA INBOX (" + string.Join(' ', Enumerable.Range(0, 50).Select(n => $"/private/{i}/{n} x".Replace(" x", " \"x\"", StringComparison.Ordinal))) + ")");
        Assert.StartsWith("NO [METADATA TOOMANY]", (await client.CommandAsync("SETMETADATA INBOX (/private/new \"x\")"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* METADATA INBOX (/private/new NIL)"], await client.OkAsync("GETMETADATA INBOX /private/new"));
        await client.OkAsync("SETMETADATA INBOX (/private/0/0 NIL /private/new \"x\")");
    }
}
