using System.Text;
using Xunit;

namespace ImapDirector.Fuzz;

/// <summary>
/// A small fuzzer: bends inputs of a corpus, the same way for the same seed, and names seed and input when a check fails.
/// <c>FUZZ_SEED</c> starts elsewhere and <c>FUZZ_ROUNDS</c> runs longer.
/// </summary>
internal static class Fuzzing
{
    // Where parsers tend to turn: separators, ends of lines, lengths around a limit, halves of encodings.
    private static readonly byte[][] Dictionary =
    [
        .. new[]
        {
            " ", "(", ")", "[", "]", "<0.1>", "\"", "\\", "\r", "\n", "\r\n", "\0", "{", "}", "{0}\r\n", "{3+}\r\nabc", "{1025+}\r\n", "{4294967296}\r\n", "~{2}\r\n",
            "{99999999999999999999+}\r\n", "*", ":", ",", "1:*", "4294967295", "4294967296", "0", "NIL", "INBOX", "&", "&-", "&AOk-", "&2D0-", "/", "..", "NOT ", "OR ",
            "BODY[", "HEADER.FIELDS (", "\u00ff", "\u00c3\u00a9", "\u00c0\u00af", "UID ", "APPEND ", "+", "-", "=", "((((((((((((((((((((((((((((((((",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    /// <summary>What makes the inputs instead, from the corpus and the dictionary: afl-fuzz, in ImapDirector.CoverageFuzz.</summary>
    public static Action<IReadOnlyList<string>, IReadOnlyList<byte[]>, Action<byte[], Random>>? Engine { get; set; }

    /// <summary>Runs <paramref name="check"/> on <paramref name="rounds"/> bent inputs.</summary>
    /// <param name="corpus">What is bent, Latin-1.</param>
    /// <param name="rounds">How often, unless <c>FUZZ_ROUNDS</c> says something else.</param>
    /// <param name="check">Throws where something is wrong.</param>
    /// <param name="words">What is put in besides what every parser turns at, Latin-1.</param>
    public static void Run(IReadOnlyList<string> corpus, int rounds, Action<byte[], Random> check, IReadOnlyList<string>? words = null)
    {
        byte[][] dictionary = [.. Dictionary, .. (words ?? []).Select(Encoding.Latin1.GetBytes)];
        if (Engine is { } engine)
        {
            engine(corpus, dictionary, check);
            return;
        }
        var firstSeed = Setting("FUZZ_SEED", 1);
        rounds = Setting("FUZZ_ROUNDS", rounds);
        for (var seed = firstSeed; seed < firstSeed + rounds; seed++)
        {
            var random = new Random(seed);
            var input = Bend(Encoding.Latin1.GetBytes(corpus[random.Next(corpus.Count)]), corpus, dictionary, random);
            try
            {
                check(input, random);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"FUZZ_SEED={seed} FUZZ_ROUNDS=1 shows it again; the input was {Convert.ToHexString(input)}", failure);
            }
        }
    }

    /// <summary>The result of a read that cannot wait, since all bytes are there.</summary>
    public static T Completed<T>(ValueTask<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }

    private static byte[] Bend(byte[] input, IReadOnlyList<string> corpus, byte[][] dictionary, Random random)
    {
        var bytes = input.ToList();
        for (var changes = random.Next(1, 6); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count + 1);
            var count = Math.Min(random.Next(1, 8), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, count);
                    break;
                case 3:
                    var piece = bytes.GetRange(at, count);
                    for (var times = random.Next(1, 40); times > 0; times--) bytes.InsertRange(at, piece);
                    break;
                case 4:
                    var other = Encoding.Latin1.GetBytes(corpus[random.Next(corpus.Count)]);
                    bytes.InsertRange(at, other.AsSpan(random.Next(other.Length + 1)));
                    break;
                case 5:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.InsertRange(at, dictionary[random.Next(dictionary.Length)]);
                    break;
            }
        }
        return [.. bytes];
    }

    private static int Setting(string name, int fallback) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : fallback;
}
