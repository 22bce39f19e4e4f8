using CsCheck;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Messages to Dovecot and to us: the same ENVELOPE, BODY, BODYSTRUCTURE and size, and the same bytes in every section. Strings are compared
/// whether they come quoted or as literals, and no section (NIL) is the same as an empty one. Messages have CRLF, for Dovecot
/// stores others so too.</summary>
public sealed class DovecotSummaryTests(ITestOutputHelper output)
{
    private const string Seed = "0000LGfUYpb4";

    [FactIfInstalled("dovecot")]
    public Task Odd_structures_have_the_summary_that_Dovecot_gives_them() => CompareAsync("structures", StructureCorpus.Messages);

    [FactIfInstalled("dovecot")]
    public Task Odd_fields_have_the_summary_that_Dovecot_gives_them() => CompareAsync("fields", [.. FieldCorpus.Envelopes, .. FieldCorpus.Contents]);

    [FactIfInstalled("dovecot")]
    public Task Odd_addresses_have_the_envelope_that_Dovecot_gives_them() => CompareAsync("addresses", [.. AddressCorpus.Messages]);

    [FactIfInstalled("dovecot")]
    public Task Random_trees_of_parts_have_the_summary_that_Dovecot_gives_them() => CompareAsync("trees", Many(RandomMessages.Trees, 100));

    [FactIfInstalled("dovecot")]
    public Task Random_lines_have_the_summary_that_Dovecot_gives_them() => CompareAsync("lines", Many(RandomMessages.Lines, 100));

    [FactIfInstalled("dovecot")]
    public Task Random_address_lists_have_the_envelope_that_Dovecot_gives_them() => CompareAsync("random-addresses", Many(RandomMessages.Addresses, 250));

    [FactIfInstalled("dovecot")]
    public Task Random_content_fields_have_the_structure_that_Dovecot_gives_them() => CompareAsync("random-fields", Many(RandomMessages.ContentFields, 250));

    private string[] Many(Gen<string> gen, int count)
    {
        output.WriteLine("Seed " + Seed);
        return gen.Array[count].Single(static _ => true, Seed);
    }

    private static async Task CompareAsync(string user, string[] messages)
    {
        await using var server = await DovecotServer.StartAsync();
        await using var dovecot = await DovecotMailbox.OpenAsync(server, user);
        await dovecot.AppendAsync(messages);
        var differences = new List<string>();
        for (var i = 0; i < messages.Length; i++)
        {
            var ours = new SummaryText(messages[i]);
            await CompareAsync(i, "RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE",
                $"(RFC822.SIZE {messages[i].Length} ENVELOPE {ours.Envelope} BODY {ours.Body} BODYSTRUCTURE {ours.BodyStructure})");
            foreach (var names in ours.SectionNames().Distinct().Chunk(50))
                await CompareAsync(i, string.Join(' ', names.Select(static name => $"BODY.PEEK[{name}]")),
                    $"({string.Join(' ', names.Select(name => $"BODY[{name}] {Text(ours.Section(name))}"))})");
        }
        Assert.True(differences.Count == 0, $"{differences.Count} of {messages.Length} differ:\n{string.Join('\n', differences.Take(10))}");

        async Task CompareAsync(int index, string items, string ours)
        {
            var theirs = await dovecot.FetchAsync(index + 1, items);
            if (theirs != ours)
                differences.Add($"{index}: {messages[index].Replace("\r\n", "\\n", StringComparison.Ordinal)}\n  Dovecot: {theirs}\n  we:      {ours}");
        }
    }

    // Neither sends a NUL in a literal; both send 0x80.
    private static string Text(string? section) =>
        $"\"{(section ?? "").Replace('\0', '\x80').Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
