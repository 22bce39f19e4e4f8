using System.Text;
using ImapDirector.Director.Authentication;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class SodiumCheckTests
{
    [Fact]
    public async Task What_is_computed_at_the_start_is_what_another_program_computes()
    {
        Assert.Null(SodiumCheck.Fault);
        using var other = new Konscious.Security.Cryptography.Argon2id(Encoding.ASCII.GetBytes("a password of the check")) { Salt = Encoding.ASCII.GetBytes("saltofthecheck16"), MemorySize = 64, Iterations = 2, DegreeOfParallelism = 1 };
        Assert.Equal(await other.GetBytesAsync(32), SodiumCheck.Compute());
    }

    [Fact]
    public void A_library_that_is_missing_or_wrong_is_told_in_a_sentence()
    {
        Assert.Contains("cannot be loaded: DllNotFoundException", SodiumCheck.FaultOf(static () => throw new TypeInitializationException("x", new DllNotFoundException("libsodium"))), StringComparison.Ordinal);
        Assert.Contains("something else", SodiumCheck.FaultOf(static () => new byte[32]), StringComparison.Ordinal);
    }
}
