# Installs @product@ @version@ from the bundle beside this file. It needs Docker Desktop, and nothing else.
#
#   powershell -ExecutionPolicy Bypass -File install.ps1 [--profile NAME] [--name NAME] [--set KEY=VALUE] [--dry-run] [--json]
#
# What it trusts: this file names the SHA-256 of the bundle's installer image, which checks the rest by its own key.
$Command = '@command@'
$Architecture = '@architecture@'
$BundleName = '@bundle@'
$PrefixSize = [long]@prefix_size@
$PrefixSha256 = '@prefix_sha256@'
$Reference = '@reference@'
$ImageIds = '@image_ids@' -split ' '
$ImageLayers = '@image_layers@'
$Options = '@container_options@' -split ' '
$BaseImages = @('@base_images@' -split ' ' | Where-Object { $_ -ne '' })
$Again = 'powershell -ExecutionPolicy Bypass -File install.ps1 ' + ($args -join ' ')

function Say([string]$Text) { [Console]::Error.WriteLine($Text) }
function Fail([int]$Code, [string]$Text) { Say "install.ps1: $Text"; exit $Code }

if ($args -contains '--help' -or $args -contains '-h') {
  Get-Content -LiteralPath $PSCommandPath -TotalCount 5 | ForEach-Object { $_ -replace '^# ?', '' }
  exit 0
}

# The Engine.
if (-not (Get-Command docker -ErrorAction SilentlyContinue)) {
  Fail 3 "There is no docker command on this host; install Docker Desktop, start it, then run: $Again"
}
$Server = (& docker version --format '{{.Server.Os}} {{.Server.Arch}}' 2>$null) -join ''
if ($LASTEXITCODE -ne 0) {
  Fail 3 "No Docker Engine answers; start Docker Desktop and wait until it says that it runs, then run: $Again"
}
$Os, $Arch = $Server.Trim() -split ' '
if ($Os -ne 'linux') {
  Fail 3 "The Docker Engine runs $Os containers; switch Docker Desktop to Linux containers, then run: $Again"
}
if ($Arch -ne $Architecture) {
  Fail 3 "This bundle is for $Architecture, and the Docker Engine runs on $Arch; take the bundle for $Arch"
}

# The bundle, whole or in parts.
$Bundle = Join-Path $PSScriptRoot $BundleName
if (Test-Path -LiteralPath $Bundle) { $Pieces = @($Bundle) }
else {
  $Pieces = @(Get-ChildItem -LiteralPath $PSScriptRoot | Where-Object { $_.Name -match ('^' + [regex]::Escape($BundleName) + '\.\d{3}$') } | Sort-Object Name | ForEach-Object { $_.FullName })
}
if ($Pieces.Count -eq 0) { Fail 2 "$BundleName is not beside install.ps1; put both into one folder, then run: $Again" }

function Find-Image {
  foreach ($Id in $ImageIds) {
    & docker image inspect $Id >$null 2>$null
    if ($LASTEXITCODE -eq 0) { return $Id }
  }
  # An Engine with containerd's image store may count IDs in a way of its own: there its layers tell the image from another build's.
  if (Test-Containerd) {
    $Id, $Layers = ((& docker image inspect --format '{{.Id}}{{range .RootFS.Layers}} {{.}}{{end}}' $Reference 2>$null) -join '') -split ' ', 2
    if ($Layers -eq $ImageLayers) { return $Id }
  }
}

function Test-Containerd {
  return ((& docker info --format '{{.DriverStatus}}' 2>$null) -join '') -match 'io\.containerd\.snapshotter'
}

# Copies the bundle's first bytes to a file, and returns their SHA-256.
function Copy-Prefix([string]$Target) {
  $Hash = [Security.Cryptography.SHA256]::Create()
  $Out = [IO.File]::Create($Target)
  $Buffer = New-Object byte[] 1048576
  $Left = $PrefixSize
  try {
    foreach ($Piece in $Pieces) {
      $In = [IO.File]::OpenRead($Piece)
      try {
        while ($Left -gt 0) {
          $Count = $In.Read($Buffer, 0, [int][Math]::Min($Left, $Buffer.Length))
          if ($Count -eq 0) { break }
          $Out.Write($Buffer, 0, $Count)
          [void]$Hash.TransformBlock($Buffer, 0, $Count, $null, 0)
          $Left -= $Count
        }
      } finally { $In.Dispose() }
    }
  } finally { $Out.Dispose() }
  [void]$Hash.TransformFinalBlock($Buffer, 0, 0)
  return [BitConverter]::ToString($Hash.Hash).Replace('-', '').ToLowerInvariant()
}

$Image = Find-Image
$WasThere = [bool]$Image
if (-not $Image) {
  $Found = @($BaseImages | Where-Object { & docker image inspect $_ >$null 2>$null; $LASTEXITCODE -eq 0 })
  if ($PrefixSize -eq 0 -or ($BaseImages.Count -gt 0 -and $Found.Count -eq 0)) {
    Fail 2 "$BundleName holds only what changed since @base_version@, which this Engine does not have; nothing was loaded. Install the full bundle instead"
  }
  $Temporary = [IO.Path]::GetTempFileName()
  try {
    Say "Checking $BundleName ..."
    if ((Copy-Prefix $Temporary) -ne $PrefixSha256) {
      Fail 2 "$BundleName is damaged, or is not the bundle that this install.ps1 belongs to; nothing was loaded. Copy both once more, then run: $Again"
    }
    Say 'Loading the installer ...'
    if ($Found.Count -gt 0 -and (Test-Containerd)) {
      # There docker load takes no image without all its layers: the installer beneath does.
      & docker run --rm --pull never $Options --user 0:0 --cap-add DAC_OVERRIDE --pid host --mount "type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock" --volume "${PSScriptRoot}:/work:ro" --workdir /work $Found[0] load-installer $BundleName
    } else { & docker load -q -i $Temporary >$null }
    if ($LASTEXITCODE -ne 0) {
      Fail 1 "The Docker Engine did not take the installer, for the reason above; put that right, then run: $Again"
    }
  } finally { Remove-Item -LiteralPath $Temporary -Force }
  $Image = Find-Image
  if (-not $Image) {
    Fail 1 "The Docker Engine made another image of the installer than the bundle holds; nothing was run. Run: docker image rm $Reference, then: $Again"
  }
}

# The command: in a folder that is in the PATH of every user, where there is one.
$Addresses = (Get-NetIPConfiguration -ErrorAction SilentlyContinue | Where-Object { $_.IPv4DefaultGateway } | ForEach-Object { $_.IPv4Address.IPAddress }) -join ','
$DryRun = $args -contains '--dry-run'
if (-not $DryRun) {
  $Folder = Join-Path $env:LOCALAPPDATA 'Microsoft\WindowsApps'
  if (-not (Test-Path -LiteralPath $Folder)) { $Folder = Join-Path $env:LOCALAPPDATA "Programs\$Command" }
  [void](New-Item -ItemType Directory -Force -Path $Folder)
  $Target = Join-Path $Folder "$Command.cmd"
  $Text = @'
@wrapper@
'@
  $Text = $Text.Replace('@image@', $Image).Replace('@addresses@', $Addresses).TrimEnd() + "`r`n"
  $Old = if (Test-Path -LiteralPath $Target) { [IO.File]::ReadAllText($Target) } else { '' }
  if ($Old -ne '' -and -not $Old.Contains('@marker@')) {
    Fail 3 "$Target is there already and is no command of this installer; move it away, then run: $Again"
  }
  if ($Old -ne $Text) {
    [IO.File]::WriteAllText("$Target.tmp", $Text, [Text.Encoding]::ASCII)
    Move-Item -LiteralPath "$Target.tmp" -Destination $Target -Force
    Say "The command $Command is $Target"
  }
}

$Earlier = @(& docker ps -q --filter "label=io.slipway.installer=$Command" --filter 'label=io.slipway.verb=install')
if ($Earlier.Count -gt 0) {
  Say 'An earlier run is still at work; waiting for it ...'
  & docker wait $Earlier >$null
}
& docker run --rm --pull never $Options --env "SLIPWAY_HOST_ADDRESSES=$Addresses" --label io.slipway.verb=install --user 0:0 --cap-add DAC_OVERRIDE --pid host --mount 'type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock' --volume "${PSScriptRoot}:/work" --workdir /work $Image install --bundle "/work/$BundleName" $args
$Code = $LASTEXITCODE
# What only showed a plan, or is refused as wrong in itself, leaves the host as it was.
if (-not $WasThere -and ($DryRun -or $Code -eq 2)) {
  & docker image rm $Image >$null 2>$null
  if (-not $DryRun -and $Old -ne $Text) {
    if ($Old -ne '') { [IO.File]::WriteAllText($Target, $Old, [Text.Encoding]::ASCII) } else { Remove-Item -LiteralPath $Target -Force }
    Say 'The installer and the command of this run were taken away again.'
  }
}
exit $Code
