using System.Text.Json;
using System.Text.Json.Serialization;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Transfer;

/// <summary>What a node has to hand over of a user: the files, and what is to be found in them.</summary>
internal sealed record TransferManifest(string User, long Epoch, string Fingerprint, long Messages, IReadOnlyList<TransferFile> Files)
{
    /// <summary>The longest that is read, in bytes: some million files.</summary>
    public const int MaxBytes = 192 * 1024 * 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        MaxDepth = 4,
    };

    [JsonIgnore]
    public long TotalBytes => Files.Sum(static file => file.Size);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads what <see cref="Write"/> has written, and trusts none of it: a file's name is the database's, or one that contents have.</summary>
    /// <returns><c>null</c> when it is anything else.</returns>
    public static TransferManifest? TryRead(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<TransferManifest>(bytes, Json);
            return manifest is not null && manifest.IsSound() ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool IsSound()
    {
        if (!UserName.TryCreate(User, null, out var user) || user.Value != User || Epoch < 1 || Messages < 0 || !IsDigest(Fingerprint)) return false;
        var names = new HashSet<string>();
        var total = 0L;
        foreach (var file in Files)
        {
            if (file is null || file.Size < 0 || !IsDigest(file.Sha256) || !names.Add(file.Name)) return false;
            if (file.Name != StoreSnapshot.DatabaseName && !ContentFiles.IsName(file.Name)) return false;
            if (file.Size > long.MaxValue - total) return false;
            total += file.Size;
        }
        return names.Contains(StoreSnapshot.DatabaseName);
    }

    private static bool IsDigest(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>A file to be handed over.</summary>
/// <param name="Name">The database's name, or a content's.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Sha256">Of its bytes, in small hexadecimal digits.</param>
internal sealed record TransferFile(string Name, long Size, string Sha256)
{
    /// <summary>Where it is in a user's directory.</summary>
    public string PathIn(string directory) => Name == StoreSnapshot.DatabaseName ? Path.Combine(directory, Name) : Path.Combine(directory, StoreSnapshot.ContentsName, Name);
}
