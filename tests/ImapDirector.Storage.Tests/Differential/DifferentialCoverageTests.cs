using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Storage.Tests.Differential;

/// <summary>The scripts leave out no command that both servers have.</summary>
public sealed class DifferentialCoverageTests
{
    // Dovecot 2.3 has never heard of them.
    private static readonly Type[] OursAlone = [typeof(MultiSearchCommand), typeof(ReplaceCommand), typeof(UidBatchesCommand)];

    [Fact]
    public void Every_command_that_Dovecot_knows_is_in_a_script_and_is_well_formed_there()
    {
        var commands = typeof(ImapCommand).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(ImapCommand)));
        var played = DifferentialScript.ReadAll().SelectMany(static script => script.Steps).Select(static step => TypeOf(step.Text)).ToHashSet();
        Assert.Equal([], commands.Except(OursAlone).Except(played).Select(static type => type!.Name));
        Assert.DoesNotContain(OursAlone, played.Contains);
    }

    private static Type? TypeOf(string text)
    {
        // The frame of an APPEND ends with the header of its literal.
        var frame = text.StartsWith("APPEND ", StringComparison.Ordinal) ? text.Split("\r\n")[0] : text;
        return ImapCommandParser.TryParse(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes($"t {frame}\r\n")), ParseOptions.AfterLogin, out var command, out _) ? command.GetType() : null;
    }
}
