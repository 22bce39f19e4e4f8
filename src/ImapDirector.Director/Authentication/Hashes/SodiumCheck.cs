using NSec.Cryptography;

namespace ImapDirector.Director.Authentication;

/// <summary>Whether libsodium, which comes with the program, can be used here. Else the first password would tell, and each after it.</summary>
internal static class SodiumCheck
{
    // As the Argon2 authors' own program (argon2 20171227) makes it: -id -t 2 -k 64 -p 1 -l 32.
    private const string Expected = "2DC5977BEA296F6605A5EAF7775B087B5CF066CE3CEAB0A0BCAC86BBA39226C8";

    private static readonly Lazy<string?> Found = new(static () => FaultOf(Compute));

    /// <summary>What is wrong, in a sentence; or <c>null</c>.</summary>
    public static string? Fault => Found.Value;

    /// <summary>The hash of the check.</summary>
    public static byte[] Compute() => new Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = 64, NumberOfPasses = 2 }).DeriveBytes("a password of the check"u8, "saltofthecheck16"u8, 32);

    /// <summary>As <see cref="Fault"/>, of a way to compute that hash.</summary>
    public static string? FaultOf(Func<byte[]> compute)
    {
        try
        {
            return compute().AsSpan().SequenceEqual(Convert.FromHexString(Expected)) ? null : Sentence("computes something else than Argon2id");
        }
        catch (Exception missing) when (missing is DllNotFoundException or TypeInitializationException or PlatformNotSupportedException or EntryPointNotFoundException or BadImageFormatException or InvalidOperationException)
        {
            return Sentence($"cannot be loaded: {missing.GetBaseException().GetType().Name}");
        }
    }

    private static string Sentence(string why) => $"libsodium, which checks passwords, {why}. Install the program whole, for this system and processor: it brings the library along.";
}
